import { defineConfig } from "@playwright/test"
import { electronBinary } from "../../main/electron/binary.ts"
import { browser, NO_BROWSER } from "../support/browser.ts"

const chromium = browser()
// With CI=true no green run may leave the app itself out; elsewhere the specs say that they were skipped, and why.
if (!chromium && process.env.CI) throw new Error(NO_BROWSER)

/** The same specs in both hosts, in Electron where its binary is. */
export default defineConfig<{ host: "web" | "electron" }>({
  testDir: ".",
  outputDir: "../../test-results/e2e",
  // A hang must end, a slow machine must not fail.
  timeout: 600_000,
  expect: { timeout: 180_000 },
  workers: 1,
  // .ci/run adds up what the runs of all kinds report.
  reporter: [["list"], ...(process.env.CI ? [["json", { outputFile: "../../test-results/e2e.json" }] as const] : [])],
  use: {
    viewport: { width: 1440, height: 900 },
    launchOptions: {
      ...chromium,
      args: [
        "--no-sandbox",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
    actionTimeout: 180_000,
    trace: "off",
  },
  projects: [
    { name: "web", use: { host: "web" } },
    ...(electronBinary() ? [{ name: "electron", use: { host: "electron" as const } }] : []),
  ],
})
