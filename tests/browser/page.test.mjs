// SPDX-License-Identifier: Apache-2.0
//
// The operator's page in a real browser: `npm run browser` in gateway/web/page.
//   TULPAR_URL, TULPAR_PASSWORD   the gateway to look at; without them, a mock of it (mock.mjs)
//   TULPAR_SHOTS                  where the pictures go; without it, a folder of its own under the system's temporary one
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { launch, layoutShift, openPage, signIn, watchLayout } from "./browser.mjs";
import { startMock } from "./mock.mjs";

const kMocked = !process.env.TULPAR_URL;
const kMockOnly = { skip: !kMocked && "needs the mock: it breaks or exhausts the gateway" };

let browser;
let mock;
let url = process.env.TULPAR_URL;
const password = process.env.TULPAR_PASSWORD ?? "winged horse";
const shots = process.env.TULPAR_SHOTS ?? mkdtempSync(join(tmpdir(), "tulpar-shots-"));

before(async () => {
  mkdirSync(shots, { recursive: true });
  if (kMocked) {
    mock = await startMock({ password, codes: ["ONCE"] });
    url = mock.url;
  }
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await mock?.close();
  console.log(`pictures: ${shots}`);
});

/** Runs `body` on a fresh page and fails when that page logged an error or asked another host for anything. */
async function onPage(options, body) {
  const { page, faults, close } = await openPage(browser, { origin: url, ...options });
  try {
    await body(page);
    assert.deepEqual(faults, []);
  } finally {
    await close();
  }
}

const signedIn = (options, body) =>
  onPage(options, async (page) => {
    await signIn(page, url, password);
    await body(page);
  });

const row = (page, name) => page.getByRole("row").filter({ has: page.getByRole("rowheader", { name }) });
const status = (page) => page.evaluate(async () => (await fetch("/api/v1/status")).json());
const accepted = async (page) =>
  Number((await page.locator(".books .hint").first().innerText()).replace(/\D/g, ""));

test("a wrong password is refused, the right one shows the figures", async () => {
  await onPage({}, async (page) => {
    const response = await page.goto(url);
    assert.match(response.headers()["content-security-policy"], /default-src 'none'/);
    await page.getByLabel("Operator password").fill(`${password} not`);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("That is not the password.").waitFor();
    await signIn(page, url, password);
    const { name, verdict } = await status(page);
    await page.getByText(name, { exact: true }).waitFor();
    if (kMocked) assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), verdict.text);
    assert.equal(await page.title(), `${name} · Tulpar`);
  });
});

test("the whole page is at most 80 kB to load", async () => {
  await onPage({}, async (page) => {
    const files = [];
    page.on("response", (response) => !response.url().includes("/api/") && files.push(response.body()));
    await page.goto(url);
    await page.getByLabel("Operator password").waitFor();
    const size = (await Promise.all(files)).reduce((sum, body) => sum + gzipSync(body).length, 0);
    assert.ok(files.length >= 3 && size <= 80_000, `${files.length} files, ${size} bytes`);
  });
});

test("a test message appears in the list and in the books", async () => {
  await signedIn({}, async (page) => {
    const before = await accepted(page);
    const topic = `tulpar/test/${Date.now()}`;
    await page.getByLabel("Topic", { exact: true }).fill(topic);
    await page.getByLabel("Text", { exact: true }).fill("Is anybody there?");
    await page.getByLabel("Class", { exact: true }).selectOption("message");
    await page.getByRole("button", { name: "Send" }).click();
    // Seven rows are shown at first: a busy mesh has pushed it out of them before it is delivered.
    await page.getByRole("button", { name: /Show .* more/ }).click();
    const line = page.getByRole("row").filter({ hasText: topic });
    await line.waitFor();
    assert.match(await line.innerText(), /Message/);
    await page.locator(".progress .done").getByText("Stored").waitFor();
    await page.waitForFunction(
      (least) => Number(document.querySelector(".books .hint").innerText.replace(/\D/g, "")) > least,
      before,
    );
    if (kMocked) await line.getByText("Delivered").waitFor();
  });
});

test("a topic with a wildcard is refused before it is sent", async () => {
  await signedIn({}, async (page) => {
    await page.getByLabel("Topic", { exact: true }).fill("mesh/+/sos");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("A topic is needed").waitFor();
  });
});

test("a class is paused and resumed, the emergency class never", async () => {
  await signedIn({}, async (page) => {
    await page.getByRole("button", { name: "Pause Bulk" }).click();
    await row(page, "Bulk").getByText("Paused").waitFor();
    const paused = async () => (await status(page)).classes.find((one) => one.name === "bulk").paused;
    assert.equal(await paused(), true);
    await page.getByRole("button", { name: "Resume Bulk" }).click();
    await page.getByRole("button", { name: "Pause Bulk" }).waitFor();
    assert.equal(await paused(), false);
    assert.equal(await row(page, "Emergency").getByRole("button").count(), 0);
  });
});

test("figures change by themselves and move nothing", async () => {
  await signedIn({}, async (page) => {
    await page.locator(".log tbody tr").first().waitFor();
    await watchLayout(page);
    for (let change = 0; change < 3; change++) {
      const before = await page.locator(".cards").innerText();
      await page.waitForFunction((old) => document.querySelector(".cards").innerText !== old, before);
    }
    const moved = await layoutShift(page);
    assert.ok(moved.by < 0.01, `moved by ${moved.by}: ${moved.what}`);
  });
});

test("it is usable by keyboard alone", async () => {
  await onPage({}, async (page) => {
    await page.goto(url);
    await page.locator("input:focus").waitFor();
    await page.keyboard.type(password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Queue" }).waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the figures");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Tulpar" }).waitFor();
  });
});

test("signing out ends the session", async () => {
  await signedIn({}, async (page) => {
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Operator password").waitFor();
    assert.equal(await page.evaluate(async () => (await fetch("/api/v1/session")).status), 401);
  });
});

test("a lost connection is said, and mended without help", kMockOnly, async () => {
  const { page, close } = await openPage(browser, { origin: url });
  await signIn(page, url, password);
  mock.cut();
  await page.getByText("This page lost the gateway.").first().waitFor();
  await page.screenshot({ path: join(shots, "lost-1400-light.png") });
  mock.mend();
  await page.getByText("Live", { exact: true }).waitFor();
  await close();
});

test("a one-time code signs in once", kMockOnly, async () => {
  await onPage({}, async (page) => {
    await page.goto(`${url}#code=ONCE`);
    await page.getByRole("heading", { name: "Queue" }).waitFor();
    assert.equal(await page.evaluate(() => location.hash), "");
  });
  await onPage({}, async (page) => {
    await page.goto(`${url}#code=ONCE`);
    await page.getByText("That link was used before").waitFor();
  });
});

// So that the pictures show a curve and not the first second of one.
const kHistoryMs = 15_000;

test("pictures, and nothing wider than the window", async () => {
  const take = (size, theme) =>
    onPage({ size, theme }, async (page) => {
      const picture = (name, options) =>
        page.screenshot({ path: join(shots, `${name}-${size}-${theme}.png`), ...options });
      await page.goto(url);
      await page.getByLabel("Operator password").waitFor();
      await picture("sign-in");
      await signIn(page, url, password);
      await page.waitForFunction((until) => performance.now() > until, kHistoryMs);
      await picture("page", { fullPage: true });
      const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(content <= window, `${content} px of content in a window of ${window} px`);
    });
  const looks = ["phone", "desk"].flatMap((size) => ["light", "dark"].map((theme) => [size, theme]));
  await Promise.all(looks.map(([size, theme]) => take(size, theme)));
});

// The last one: on a real gateway it would lock the others out.
test("too many tries are told to wait", kMockOnly, async () => {
  await onPage({}, async (page) => {
    await page.goto(url);
    for (let i = 0; i < 5; i++) {
      await page.getByLabel("Operator password").fill(`guess ${i}`);
      const answer = page.waitForResponse("**/api/v1/session");
      await page.getByRole("button", { name: "Sign in" }).click();
      await answer;
    }
    await page.getByLabel("Operator password").fill("one more");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("Too many tries.").waitFor();
    assert.ok(await page.getByRole("button", { name: "Sign in" }).isDisabled());
  });
});
