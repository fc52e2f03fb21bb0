import { join } from "node:path"
import { expect, test } from "./app.ts"

/** Pictures of the app for the README and for looking at: `npm run screenshots`. Not part of the tests. */
const out = join(import.meta.dirname, "../../assets/screenshots")

test("screenshots", async ({ page, app }) => {
  await app.open(page)
  await page.getByRole("textbox", { name: "Length" }).fill("900")
  await page.getByRole("textbox", { name: "Seed" }).fill("7")
  await page.screenshot({ path: join(out, "begin.png") })
  await page.getByRole("textbox", { name: "Prompt" }).fill("Once upon a time there was a little")
  await page.keyboard.press("Control+Enter")
  await expect(page.getByRole("button", { name: "Regenerate" }).first()).toBeEnabled()
  const strip = page.getByRole("slider", { name: /Patches by surprise/ })
  await strip.hover({ position: { x: 300, y: 10 } })
  await page.screenshot({ path: join(out, "text.png") })
  await page.emulateMedia({ colorScheme: "dark" })
  await page.setViewportSize({ width: 1024, height: 700 })
  await page.getByRole("button", { name: "Surprise" }).click()
  await page.screenshot({ path: join(out, "surprise-dark.png") })
  await page.emulateMedia({ colorScheme: "light" })
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.getByRole("button", { name: "New", exact: true }).click()
  await page.getByRole("textbox", { name: "Variations" }).fill("3")
  await page.getByRole("textbox", { name: "Prompt" }).fill("“Where are you going?” asked the Fox.")
  await page.keyboard.press("Control+Enter")
  await expect(page.locator(".progress .count")).toContainText("B/s")
  await page.waitForTimeout(800)
  await page.screenshot({ path: join(out, "variations.png") })
})
