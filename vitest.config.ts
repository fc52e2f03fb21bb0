import { existsSync } from "node:fs"
import { defineConfig } from "vitest/config"

// A machine without a GPU runs WebGPU on SwiftShader, a Vulkan driver in software that Debian's chromium brings along.
const swiftShader = "/usr/lib/chromium/vk_swiftshader_icd.json"
const driver = existsSync(swiftShader) ? { VK_DRIVER_FILES: swiftShader, VK_ICD_FILENAMES: swiftShader } : {}

/** Unit tests beside the code; the app itself is driven by test/e2e with Playwright. */
export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    exclude: ["node_modules", "native-models/training"],
    testTimeout: 60_000,
    // The loader of Vulkan drivers reads the process's own environment, which a thread cannot set.
    pool: "forks",
    env: driver,
  },
})
