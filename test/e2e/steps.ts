import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { AxeBuilder } from "@axe-core/playwright"
import { expect, type Page } from "@playwright/test"
import type { Item } from "../../contract/app.ts"

/** What the specs do over and over in a window. */

/** Opens the settings, with those under Advanced too. */
export async function openSettings(page: Page): Promise<void> {
  const panel = page.getByRole("complementary", { name: "Settings of the next generation" })
  if (!(await panel.isVisible())) await page.getByRole("button", { name: "Settings", exact: true }).click()
  const advanced = panel.getByText("Advanced", { exact: true })
  if (!(await panel.getByRole("textbox", { name: "Seed" }).isVisible())) await advanced.click()
}

/** Chooses a model by its title. */
export async function chooseModel(page: Page, label: string): Promise<void> {
  await openSettings(page)
  await page.getByRole("combobox", { name: "Model" }).selectOption({ label })
}

/** Sets numbers of the next generation; one future at a time where nothing else is said. */
export async function setUp(
  page: Page,
  { length, futures = 1, seed }: { length?: number; futures?: number; seed?: number },
): Promise<void> {
  await openSettings(page)
  if (length !== undefined) await page.getByRole("textbox", { name: "Length" }).fill(String(length))
  await page.getByRole("textbox", { name: "Futures" }).fill(String(futures))
  if (seed !== undefined) await page.getByRole("textbox", { name: "Seed" }).fill(String(seed))
}

export const prompt = (page: Page) => page.getByRole("textbox", { name: "Prompt" })
export const textOf = (page: Page) => page.locator(".text-view")
export const rows = (page: Page) => page.locator(".items .row")
export const strip = (page: Page) => page.getByRole("slider", { name: /Patches by surprise/ })
export const count = (page: Page) => page.locator(".progress .count")

/** Something was made, and nothing is being written. */
export const finished = async (page: Page) => {
  await expect(page.locator(".strip")).toBeVisible()
  await expect(page.locator(".actionbar .primary")).toBeVisible()
}
/** Patches come, however fast: how long they still take is only said after a while. */
export const writing = (page: Page) => expect(count(page)).toContainText(" of ")

/** Presses Escape in the frame in which the first patches show: what is made in half a second is over at the next look from here. */
export const stopAtFirst = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!document.querySelector(".progress .count")?.textContent?.includes(" of "))
            return requestAnimationFrame(look)
          document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }))
          resolve()
        }
        look()
      }),
  )

/** Does what the menu behind Share has. */
export async function share(page: Page, choice: string): Promise<void> {
  await page.getByRole("button", { name: "Share" }).click()
  await page.getByRole("menuitem", { name: choice }).click()
}

/** Folders of the library's items, and what stands in their item.json. */
export const idsOf = (home: string, library = join(home, "library")) =>
  readdirSync(library).filter((name) => !name.startsWith("."))
export const itemsOf = (home: string): Item[] =>
  idsOf(home).map((id) => JSON.parse(readFileSync(join(home, "library", id, "item.json"), "utf8")))
export const folderOf = (home: string) => join(home, "library", idsOf(home)[0] ?? "")

/** What axe finds at any level, best practices too, each as one line. */
export async function violations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations.map((v) => `${v.id}: ${v.nodes[0]?.html}`)
}
