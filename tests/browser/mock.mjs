// SPDX-License-Identifier: Apache-2.0
//
// The gateway's HTTP side without a gateway: the built page, sign-in, the API and the live feed over `model.mjs`.
// For the browser test, and by hand: `npm run mock` in gateway/web/page.
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { Model } from "./model.mjs";

const kDist = new URL("../../gateway/web/page/dist/", import.meta.url);
const kTypes = { html: "text/html; charset=utf-8", js: "text/javascript", css: "text/css" };
const kPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const kTries = 5;
const kRetryAfterS = 3;
const kStepMs = 500;

function builtPage() {
  const files = new Map();
  const load = (path) =>
    files.set(path, { body: readFileSync(new URL(path.slice(1), kDist)), type: kTypes[path.split(".").pop()] });
  load("/index.html");
  for (const name of readdirSync(new URL("assets/", kDist))) load(`/assets/${name}`);
  files.set("/", files.get("/index.html"));
  return files;
}

/** Starts on a free port of the loopback (or `port`); gives its address and the means to break it. */
export async function startMock({ password, port = 0, codes = [], plan = true } = {}) {
  const files = builtPage();
  const model = new Model({ plan });
  const sessions = new Map();
  const sockets = new Set();
  const unusedCodes = new Set(codes);
  let wrong = 0;
  let refuse = false;

  const sessionOf = (request) =>
    sessions.get(/(?:^|; )tulpar_session=([^;]+)/.exec(request.headers.cookie ?? "")?.[1]);

  const push = () => {
    const frame = textFrame(JSON.stringify(model.status()));
    for (const socket of sockets) socket.write(frame);
  };

  function signIn(body, reply) {
    if (wrong >= kTries) {
      setTimeout(() => (wrong = 0), kRetryAfterS * 1000).unref();
      return reply.problem(429, "Too many tries", { "Retry-After": kRetryAfterS });
    }
    const byCode = typeof body.code === "string" && unusedCodes.delete(body.code);
    if (!byCode && body.password !== password) {
      wrong++;
      return reply.problem(401, "The password or the code is wrong");
    }
    wrong = 0;
    const id = randomBytes(16).toString("hex");
    sessions.set(id, { user: "operator", role: "operator", csrf: randomBytes(8).toString("hex") });
    return reply.send(204, "", { "Set-Cookie": `tulpar_session=${id}; HttpOnly; SameSite=Strict; Path=/` });
  }

  function api(method, path, query, session, body, reply) {
    if (method === "POST" && path === "session") return signIn(body, reply);
    if (!session) return reply.problem(401, "Nobody is signed in");
    if (method !== "GET" && reply.csrf !== session.csrf)
      return reply.problem(403, "The CSRF token is missing or wrong");
    if (path === "session" && method === "GET") return reply.json(200, session);
    if (path === "session" && method === "DELETE") {
      for (const [id, one] of sessions) if (one === session) sessions.delete(id);
      return reply.send(204, "", { "Set-Cookie": "tulpar_session=; Max-Age=0; Path=/" });
    }
    if (path === "status") return reply.json(200, model.status());
    if (path === "messages" && method === "GET") {
      return reply.json(200, { messages: model.messages(Number(query.get("limit") ?? 50)) });
    }
    if (path === "messages" && method === "POST") {
      const id = model.accept(body.topic ?? "", body.payload ?? "", body.class);
      push();
      return id === null ? reply.problem(422, `There is no class ${body.class}`) : reply.json(202, { id });
    }
    const change = /^classes\/([^/]+)\/(pause|resume)$/.exec(path);
    if (!change || method !== "POST") return reply.problem(404, "There is nothing here");
    if (change[1] === "emergency") return reply.problem(409, "The emergency class cannot be paused");
    if (!model.pause(change[1], change[2] === "pause"))
      return reply.problem(404, `There is no class ${change[1]}`);
    push();
    return reply.send(204, "");
  }

  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://mock");
    const reply = replyTo(request, response);
    if (!pathname.startsWith("/api/v1/")) {
      const file = files.get(pathname);
      return file
        ? reply.send(200, file.body, { "Content-Type": file.type })
        : reply.problem(404, "There is no such page");
    }
    let text = "";
    for await (const piece of request) text += piece;
    api(
      request.method,
      pathname.slice(8),
      searchParams,
      sessionOf(request),
      text ? JSON.parse(text) : {},
      reply,
    );
  });

  server.on("upgrade", (request, socket) => {
    socket.on("error", () => socket.destroy());
    if (refuse || !sessionOf(request))
      return socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n");
    const accept = createHash("sha1").update(
      `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`,
    );
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`,
    );
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // The page says nothing on this socket but goodbye.
    socket.on("data", () => socket.end());
    socket.write(textFrame(JSON.stringify(model.status())));
  });

  const timer = setInterval(() => {
    model.step(kStepMs / 1000);
    push();
  }, kStepMs);

  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    /** Ends all live feeds and accepts none until `mend`. */
    cut() {
      refuse = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      refuse = false;
    },
    close() {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function replyTo(request, response) {
  const send = (status, body, headers = {}) => {
    response.writeHead(status, { "Content-Security-Policy": kPolicy, "Cache-Control": "no-store", ...headers });
    response.end(body);
  };
  const json = (status, value, headers) =>
    send(status, JSON.stringify(value), { "Content-Type": "application/json", ...headers });
  const problem = (status, detail, headers) =>
    json(
      status,
      { type: "about:blank", title: detail, status, detail },
      { ...headers, "Content-Type": "application/problem+json" },
    );
  return { send, json, problem, csrf: request.headers["x-tulpar-csrf"] };
}

/** One unmasked WebSocket text frame (RFC 6455, 5.2). */
function textFrame(text) {
  const body = Buffer.from(text);
  const head = body.length < 126 ? Buffer.alloc(2) : body.length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = 0x81;
  head[1] = head.length === 2 ? body.length : head.length === 4 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(body.length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(body.length), 2);
  return Buffer.concat([head, body]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const mock = await startMock({
    password: "tulpar",
    port: 8480,
    codes: ["DEMO"],
    plan: process.env.MOCK_PLAN !== "none",
  });
  console.log(`${mock.url}#code=DEMO (or the password "tulpar")`);
}
