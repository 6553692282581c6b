// SPDX-License-Identifier: Apache-2.0
//
// A browser that keeps a record of what a page does wrong: Debian's Chromium, driven by the page's own playwright-core.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../gateway/web/page/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const kExecutable = process.env.TULPAR_CHROMIUM ?? "/usr/bin/chromium";
const kFlags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
export const kSizes = { phone: { width: 360, height: 780 }, desk: { width: 1400, height: 900 } };

export const launch = () => chromium.launch({ executablePath: kExecutable, args: kFlags });

/** A page of its own (no shared cookies), and everything it did that a good page does not do. */
export async function openPage(browser, { size = "desk", theme = "light", origin }) {
  const context = await browser.newContext({
    viewport: kSizes[size],
    colorScheme: theme,
    isMobile: size === "phone",
    hasTouch: size === "phone",
    deviceScaleFactor: size === "phone" ? 2 : 1,
    // A gateway on the network makes its own certificate.
    ignoreHTTPSErrors: true,
  });
  const page = await context.newPage();
  const faults = [];
  const foreign = (url) => !url.startsWith("data:") && new URL(url).host !== new URL(origin).host;
  page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
  page.on("console", (message) => {
    // A refused sign-in is part of the plan; Chromium reports each such answer as an error.
    if (message.type() === "error" && !/status of (401|429)/.test(message.text()))
      faults.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => foreign(request.url()) && faults.push(`foreign request: ${request.url()}`));
  page.on("websocket", (socket) => foreign(socket.url()) && faults.push(`foreign socket: ${socket.url()}`));
  return { page, faults, close: () => context.close() };
}

export async function signIn(page, url, password) {
  await page.goto(url);
  await page.getByLabel("Operator password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Queue" }).waitFor();
}

/** From now on adds up how far things move by themselves (Layout Instability API); read it with `layoutShift`. */
export const watchLayout = (page) =>
  page.evaluate(() => {
    window.shifted = 0;
    window.movers = new Set();
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (entry.hadRecentInput) continue;
        window.shifted += entry.value;
        for (const { node } of entry.sources) window.movers.add(node?.className || node?.nodeName || "?");
      }
    }).observe({ type: "layout-shift" });
  });
/** How far (0.1 is what the web calls good), and the classes of what moved. */
export const layoutShift = (page) =>
  page.evaluate(() => ({ by: window.shifted, what: [...window.movers].join(", ") }));
