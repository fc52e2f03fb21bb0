import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { defineConfig } from "vitest/config"

// A machine without a GPU runs WebGPU on a Vulkan driver in software: lavapipe where it is new enough (Mesa 25 has Vulkan
// 1.4), else SwiftShader, which Debian's chromium brings along; that one takes several times as long.
const folder = "/usr/share/vulkan/icd.d"
const newEnough = (file: string) => {
  const { ICD } = JSON.parse(readFileSync(file, "utf8")) as { ICD: { api_version: string } }
  const [major = 0, minor = 0] = ICD.api_version.split(".").map(Number)
  return major > 1 || minor >= 4
}
const lavapipe = (existsSync(folder) ? readdirSync(folder) : [])
  .filter((name) => name.startsWith("lvp_icd"))
  .map((name) => join(folder, name))
  .find(newEnough)
const swiftShader = "/usr/lib/chromium/vk_swiftshader_icd.json"
const driver = lavapipe ?? (existsSync(swiftShader) ? swiftShader : undefined)

/** Unit tests beside the code; the app itself is driven by test/e2e with Playwright. */
export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    exclude: ["node_modules", "native-models/training"],
    testTimeout: 60_000,
    // The loader of Vulkan drivers reads the process's own environment, which a thread cannot set.
    pool: "forks",
    env: driver ? { VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver } : {},
  },
})
