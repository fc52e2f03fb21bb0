import { existsSync } from "node:fs"
import { chromium, type LaunchOptions } from "@playwright/test"
import { unpackedChromium } from "./chromium.ts"

const installed = [
  "/usr/bin/chromium",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
]

/** What is said where there is no browser to drive the app in. */
export const NO_BROWSER =
  "Not tested here: the app in a browser. It needs Chrome, or a Chromium: npx playwright install chromium, or CHROMIUM=path."

/**
 * The Chromium that drives the app: the one that CHROMIUM names, the one that npm brings for x86-64 Linux, Playwright's
 * own where it has been installed, or the system's.
 * @returns nothing where there is none
 */
export function browser(): Pick<LaunchOptions, "executablePath" | "env"> | undefined {
  if (process.env.CHROMIUM) return { executablePath: process.env.CHROMIUM }
  const unpacked = unpackedChromium()
  if (unpacked)
    return { executablePath: unpacked.executable, env: { ...(process.env as Record<string, string>), ...unpacked.env } }
  if (existsSync(chromium.executablePath())) return {}
  const executablePath = installed.find((path) => existsSync(path))
  return executablePath ? { executablePath } : undefined
}
