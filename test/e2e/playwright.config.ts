import { existsSync } from "node:fs"
import { defineConfig } from "@playwright/test"
import { electronBinary } from "../../main/electron/binary.ts"

/** Debian's Chromium where it is; a machine without one must install it: the tests fail, they do not skip. */
const chromium = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((p) => existsSync(p))

export default defineConfig<{ host: "web" | "electron" }>({
  testDir: ".",
  outputDir: "../../test-results",
  timeout: 180_000,
  expect: { timeout: 60_000 },
  workers: 1,
  reporter: [["list"]],
  use: {
    viewport: { width: 1440, height: 900 },
    launchOptions: {
      ...(chromium ? { executablePath: chromium } : {}),
      args: [
        "--no-sandbox",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
    trace: "off",
  },
  // The same specs in both hosts, in Electron where its binary is.
  projects: [
    { name: "web", use: { host: "web" } },
    ...(electronBinary() ? [{ name: "electron", use: { host: "electron" as const } }] : []),
  ],
})
