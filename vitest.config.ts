import { defineConfig } from "vitest/config"

/** Unit tests beside the code; the app itself is driven by test/e2e with Playwright. */
export default defineConfig({
  test: { include: ["**/*.test.ts"], exclude: ["node_modules", "native-models/training"], testTimeout: 60_000 },
})
