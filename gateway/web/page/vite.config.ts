// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";

// `npm run dev` shows the page against a running gateway (or tests/browser/mock.mjs) at this address.
const backend = process.env.TULPAR_URL ?? "http://127.0.0.1:8480";

export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    // The oldest browsers that the page supports; phones in the field are not new.
    target: ["es2020", "chrome87", "firefox78", "safari14"],
    // The server's Content-Security-Policy forbids inline scripts and data: modules, and each file is embedded in
    // the binary: one script, one style sheet, nothing inlined.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    cssCodeSplit: false,
  },
  server: { proxy: { "/api": { target: backend, ws: true } } },
  // css: the contrast test reads the style sheet, which vitest would empty.
  test: { include: ["test/**/*.test.ts"], css: true },
});
