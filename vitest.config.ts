import { defineConfig } from "vitest/config"
import { softwareDriver } from "./test/support/vulkan.ts"

/** Unit tests beside the code; the app itself is driven by test/e2e with Playwright. */
export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    exclude: ["node_modules", "native-models/training"],
    globalSetup: "test/support/setup.ts",
    // A hang must end, a slow machine must not fail: the longest takes 60 s on a slow core with SwiftShader.
    testTimeout: 300_000,
    hookTimeout: 120_000,
    // .ci/run adds up what the runs of all kinds report.
    reporters: process.env.CI ? ["default", "json"] : ["default"],
    outputFile: { json: "test-results/unit.json" },
    // The loader of Vulkan drivers reads the process's own environment, which a thread cannot set.
    pool: "forks",
    env: softwareDriver()?.env ?? {},
  },
})
