import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { Page } from "@playwright/test"
import { dropFiles, expect, test } from "./app.ts"
import { finished, openSettings, prompt, rows, setUp, strip } from "./steps.ts"

/**
 * Pictures of the app, not part of the tests. `npm run screenshots` writes those of the README; every screen in every
 * size, light and dark, to look at, goes to test-results/screens.
 */
const readme = join(import.meta.dirname, "../../assets/screenshots")
const all = join(import.meta.dirname, "../../test-results/screens")
const sizes = [
  [1440, 900],
  [1024, 700],
  [800, 600],
] as const

// What grows is there at once, and nothing blinks.
test.use({ contextOptions: { reducedMotion: "reduce" } })

/** The page has laid itself out for its size: panels that it closes in a narrow window are closed. */
const settled = (page: Page) =>
  page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))))

/**
 * Takes what is shown in every size, light and dark; the largest, light, is the README's where that has one.
 * @param ready opens again what a narrow window has closed
 */
async function take(
  page: Page,
  name: string,
  inReadme = false,
  ready: () => Promise<void> = async () => {},
): Promise<void> {
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme })
    for (const [width, height] of [...sizes].reverse()) {
      await page.setViewportSize({ width, height })
      await settled(page)
      await ready()
      await settled(page)
      await page.screenshot({ path: join(all, `${name}-${width}-${colorScheme}.png`) })
    }
  }
  if (inReadme) await page.screenshot({ path: join(readme, `${name}.png`) })
}

const begin = async (page: Page, card: RegExp) => {
  await page.getByRole("button", { name: /^New/ }).first().click()
  await page.getByRole("button", { name: card }).click()
}

test("screens of stories", async ({ app }) => {
  const page = await app.open()
  await take(page, "home", true)
  await setUp(page, { length: 700, seed: 7, futures: 4 })
  await take(page, "settings", false, () => openSettings(page))
  // In the narrow ones of these windows the settings have closed by themselves.
  await page.getByRole("button", { name: /^Story: / }).click()
  await finished(page)
  await strip(page).click({ position: { x: 500, y: 30 } })
  await expect(page.locator(".patch-byte li").first()).toBeVisible()
  await take(page, "text", true)
  await page.getByRole("button", { name: "Branch here" }).click()
  await expect(page.getByRole("navigation", { name: "Versions" })).toContainText("Branch 1")
  await finished(page)
  await page.locator("body").press("u")
  await take(page, "surprise")
  await page.locator("body").press("u")
  await page.locator("body").press("e")
  await prompt(page).pressSequentially(" And then")
  await take(page, "typing")
  await page.getByRole("button", { name: "Models and preferences" }).click()
  await expect(page.getByText("Trying each…")).toHaveCount(0)
  await take(page, "models", true)
})

test("screens of pictures", async ({ app }) => {
  const page = await app.open()
  for (const _ of [1, 2]) {
    await begin(page, /^Picture: /)
    await finished(page)
  }
  await take(page, "picture", true)
  await page.locator("body").press("u")
  await take(page, "picture-surprise")
  const picture = join(import.meta.dirname, "../../assets/public/examples/monster.png")
  await dropFiles(page, [{ name: "monster.png", bytes: readFileSync(picture) }])
  await expect(page.getByRole("heading", { name: "monster.png" })).toBeVisible()
  await take(page, "picture-prompt")
})

test("screens of sound", async ({ app }) => {
  test.setTimeout(240_000)
  const page = await app.open()
  await begin(page, /^Sound: /)
  await finished(page)
  await take(page, "sound", true)
  await page.locator("body").press("u")
  await take(page, "sound-surprise")
  await page.getByRole("button", { name: /^New/ }).first().click()
  await page.getByRole("button", { name: "Choose how it sounds" }).click()
  await openSettings(page)
  await page.getByRole("button", { name: /Try it on an example/ }).click()
  await expect(page.getByRole("heading", { name: "chorale.flac" })).toBeVisible()
  await take(page, "sound-prompt")
  await expect(rows(page)).toHaveCount(1)
})
