import type { Page } from "@playwright/test"
import { dropFiles, expect, test } from "./app.ts"
import { finished, itemsOf, openSettings, prompt, rows, setUp, strip, textOf, writing } from "./steps.ts"

/** What a first user met and what became of it, with packs that make nonsense quickly. README.md has the whole table. */

test.beforeEach(({ app }) => app.beginWithRandomPack())

const write = async (page: Page, text: string, length = 60, futures = 1) => {
  await setUp(page, { length, futures })
  await prompt(page).fill(text)
  await page.keyboard.press("Control+Enter")
  await finished(page)
}
const focused = (page: Page) => page.locator(":focus")
/** What lies on top in the middle of an element is that element. */
const isUncovered = (page: Page, selector: string) =>
  page.locator(selector).evaluate((el) => {
    const { x, y, width, height } = el.getBoundingClientRect()
    return el.contains(document.elementFromPoint(x + width / 2, y + height / 2))
  })

test("three cards stand first, and a click opens the work already begun (H1)", async ({ app }) => {
  const page = await app.open()
  for (const kind of ["Story", "Picture", "Sound"])
    await expect(page.getByRole("button", { name: new RegExp(`^${kind}: `) })).toBeVisible()
  await page.getByRole("button", { name: /^Picture: / }).click()
  await finished(page)
  await expect(page.getByRole("heading", { name: /^A picture: / })).toBeVisible()
})

test("the prompt stays in sight from the key to the last patch (H2)", async ({ app }) => {
  const page = await app.open()
  await setUp(page, { length: 200 })
  await prompt(page).fill("Once upon a time")
  await page.evaluate(() => {
    const seen = { frames: 0, missed: 0 }
    Object.assign(window, { seen })
    const look = () => {
      seen.frames++
      const typed = [...document.querySelectorAll("textarea")].map((el) => el.value).join()
      if (!(typed + document.querySelector("main")?.textContent).includes("Once upon a time")) seen.missed++
      requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  })
  await page.keyboard.press("Control+Enter")
  await finished(page)
  const seen = await page.evaluate(() => (window as unknown as { seen: { frames: number; missed: number } }).seen)
  expect(seen.frames).toBeGreaterThan(3)
  expect(seen.missed).toBe(0)
})

test("four futures fit side by side at 1440, each with one cross and no row of buttons (H6)", async ({ app }) => {
  const page = await app.open()
  await write(page, "My dear", 60, 4)
  const futures = page.getByRole("article")
  await expect(futures).toHaveCount(4)
  const boxes = await futures.evaluateAll((all) => all.map((el) => el.getBoundingClientRect().toJSON() as DOMRect))
  for (const { left, right, bottom, top } of boxes) {
    expect([left >= 0, right <= 1440, bottom <= 900]).toEqual([true, true, true])
    expect(top).toBe(boxes[0]?.top)
  }
  expect(await futures.first().getByRole("button").count()).toBeLessThanOrEqual(2)
})

test("a large library is read by kind, star, line of text and content; only rows in sight are there (H7, H8)", async ({
  app,
}) => {
  app.addRandomPack("picture")
  app.addItems(1000)
  const page = await app.open()
  // The one with a star stands before it.
  await expect(rows(page).nth(1)).toContainText("Tale 999")
  await expect(rows(page).nth(1)).toContainText("told once more by the sea")
  expect(await rows(page).count()).toBeLessThan(40)
  expect(await page.locator("*").count()).toBeLessThan(1500)
  await page.getByRole("button", { name: "Pictures", exact: true }).click()
  await expect(rows(page).nth(1)).toContainText("Drawing")
  await page.getByRole("button", { name: "Starred", exact: true }).click()
  await expect(rows(page)).toHaveCount(1)
  await expect(rows(page).locator(".row-title svg")).toBeVisible()
  await page.getByRole("button", { name: "All", exact: true }).click()
  await page.getByRole("searchbox").fill("word777x")
  await expect(rows(page)).toHaveCount(1)
  await expect(rows(page)).toContainText("Tale 777")
  // Written beside so many, the page stays as small.
  await page.getByRole("searchbox").fill("")
  await write(page, "One more")
  expect(await page.locator("*").count()).toBeLessThan(1500)
})

test("models and preferences are left by Esc and by a button that stays in sight (H9)", async ({ app }) => {
  const page = await app.open()
  await page.setViewportSize({ width: 800, height: 600 })
  const open = async () => {
    await page.getByRole("button", { name: "Show the library" }).click()
    await page.getByRole("button", { name: "Models and preferences" }).click()
  }
  await open()
  await page.getByRole("combobox", { name: "Theme" }).scrollIntoViewIfNeeded()
  await expect(page.getByRole("button", { name: "Done" })).toBeInViewport()
  await page.getByRole("button", { name: "Done" }).click()
  await expect(page.getByRole("button", { name: "Done" })).toBeHidden()
  await open()
  await page.keyboard.press("Escape")
  await expect(page.getByRole("button", { name: "Done" })).toBeHidden()
})

test("New is ready to be typed on, and gives back what was typed before (H11)", async ({ app }) => {
  const page = await app.open()
  await prompt(page).fill("Half a sentence")
  await page.getByRole("button", { name: /^New/ }).first().click()
  await expect(prompt(page)).toBeFocused()
  await expect(prompt(page)).toHaveValue("")
  await page.getByRole("button", { name: "Undo" }).click()
  await expect(prompt(page)).toHaveValue("Half a sentence")
})

test("keys do all of it, and forty items are no detour (H12)", async ({ app }) => {
  app.addItems(40)
  const page = await app.open()
  await write(page, "The key")
  const download = page.waitForEvent("download")
  await page.keyboard.press("Control+s")
  expect((await download).suggestedFilename()).toBe("The key.txt")
  await page.locator("body").press("F2")
  await expect(page.getByRole("textbox", { name: "New name" })).toBeFocused()
  await page.keyboard.press("Escape")
  await page.keyboard.press("Control+f")
  await expect(page.getByRole("searchbox")).toBeFocused()
  // From the search to what goes on, past all of the library.
  let tabs = 0
  while (tabs < 40 && !(await focused(page).evaluate((el) => el.matches(".actionbar .primary")))) {
    await page.keyboard.press("Tab")
    tabs++
  }
  expect(tabs).toBeLessThan(40)
  await rows(page).filter({ hasText: "The key" }).focus()
  await page.keyboard.press("ArrowDown")
  await expect(focused(page)).toContainText("Tale 39")
  await page.keyboard.press("Delete")
  await expect(rows(page).filter({ hasText: "Tale 39" })).toHaveCount(0)
  await page.keyboard.press("Control+n")
  await expect(prompt(page)).toBeFocused()
  await page.keyboard.press("Control+Enter")
  await finished(page)
  // Branching and Esc leave the keys where they were.
  await page.locator("body").press("ArrowRight")
  await expect(page.locator(".patch-card")).toBeVisible()
  await page.locator("body").press("b")
  await finished(page)
  await page.locator("body").press("?")
  await expect(page.getByRole("dialog")).toBeVisible()
  await page.keyboard.press("Escape")
  await expect(page.getByRole("dialog")).toBeHidden()
  expect(app.errors).toEqual([])
})

test("lines are short enough to be read, however wide the window is (H15)", async ({ app }) => {
  const page = await app.open()
  await page.setViewportSize({ width: 1800, height: 900 })
  await write(page, "It was a long way to the sea and back again. ".repeat(20), 8)
  const longest = await page
    .locator(".text-row")
    .first()
    .evaluate((row) => {
      const lines = new Map<number, number>()
      const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT)
      for (let node = walker.nextNode(); node; node = walker.nextNode())
        for (let i = 0; i < (node.textContent?.length ?? 0); i++) {
          const range = new Range()
          range.setStart(node, i)
          range.setEnd(node, i + 1)
          const top = Math.round(range.getBoundingClientRect().top)
          lines.set(top, (lines.get(top) ?? 0) + 1)
        }
      return Math.max(...lines.values())
    })
  expect(longest).toBeGreaterThan(40)
  expect(longest).toBeLessThan(90)
})

test("a chosen patch is seen beside its card, also in a window that gets smaller", async ({ app }) => {
  const page = await app.open()
  await write(page, "It was a long way to the sea and back again.\n\n".repeat(40), 8)
  const isSeen = () =>
    page.evaluate(() => {
      const { highlights } = CSS as unknown as { highlights: Map<string, Set<Range>> }
      const [range] = highlights.get("patch") ?? []
      const [line, view] = [range, document.querySelector(".text-view")].map((x) => x?.getBoundingClientRect())
      const card = document.querySelector(".patch-card")?.getBoundingClientRect()
      return line && view && card && line.top >= view.top && line.bottom <= view.bottom && view.bottom <= card.top
    })
  const box = await strip(page).boundingBox()
  if (!box) throw new Error("no strip")
  for (const share of [0.5, 0.1, 0.9]) {
    await strip(page).click({ position: { x: box.width * share, y: 10 } })
    await expect.poll(isSeen).toBe(true)
  }
  await page.setViewportSize({ width: 1024, height: 620 })
  await expect.poll(isSeen).toBe(true)
})

test("beside the settings the cards do not overlap, and pictures keep their shape", async ({ app }) => {
  const page = await app.open()
  for (const width of [1440, 1200, 1024]) {
    await page.setViewportSize({ width, height: 700 })
    await openSettings(page)
    const words = page.locator(".card > button, .card strong")
    const cards = page.locator(".card")
    const edges = await cards.evaluateAll((all) => all.map((card) => card.getBoundingClientRect().right))
    const ends = await words.evaluateAll((all) =>
      all.map((word) => {
        const range = new Range()
        range.selectNodeContents(word)
        return [range.getBoundingClientRect().right, word.closest(".card")?.getBoundingClientRect().right ?? 0] as const
      }),
    )
    expect(edges).toHaveLength(3)
    for (const [end, edge] of ends) expect(end).toBeLessThanOrEqual(edge)
    const picture = await page.locator(".card .thumb-picture").boundingBox()
    expect((picture?.width ?? 0) / (picture?.height ?? 1)).toBeCloseTo(1, 2)
  }
})

test("strip and text point at each other's patches (H16)", async ({ app }) => {
  const page = await app.open()
  await write(page, "The patches", 100)
  const marked = () =>
    page.evaluate(() => {
      const { highlights } = CSS as unknown as { highlights: Map<string, Set<Range>> }
      return [...(highlights.get("patch") ?? [])].map((range) => range.toString()).join("")
    })
  await strip(page).hover({ position: { x: 3, y: 10 } })
  await expect.poll(marked).toBe("The ")
  const drawn = () => strip(page).evaluate((el) => (el as HTMLCanvasElement).toDataURL())
  await page.mouse.move(0, 0)
  const before = await drawn()
  const box = await textOf(page).locator(".given").boundingBox()
  if (!box) throw new Error("no text")
  await page.mouse.move(box.x + 3, box.y + 8)
  await expect.poll(drawn).not.toBe(before)
})

test("a window whose app has ended says what to do (H19)", async ({ app }) => {
  test.skip(!app.isWeb, "In Electron a window ends with its app.")
  const page = await app.open()
  await app.close()
  app.cutOff()
  await expect(page.getByText("Connecting to the app")).toBeVisible()
  await expect(page.getByText(/The app has ended.*open the address/)).toBeVisible()
})

for (const [width, height] of [
  [800, 600],
  [720, 450],
])
  test(`nothing covers the work at ${width} x ${height}, as at 200 % (H20)`, async ({ app }) => {
    const page = await app.open()
    await setUp(page, { length: 1_000_000 })
    await page.getByRole("button", { name: "Settings", exact: true }).click()
    await page.setViewportSize({ width: width as number, height: height as number })
    expect(await isUncovered(page, "textarea[aria-label=Prompt]")).toBe(true)
    await prompt(page).fill("Narrow")
    await page.keyboard.press("Control+Enter")
    await writing(page)
    await page.keyboard.press("Escape")
    await finished(page)
    for (const part of [".text-view", "[role=slider][aria-label^=Patches]", ".actionbar .primary"]) {
      await expect(page.locator(part)).toBeInViewport()
      expect(`${part} ${await isUncovered(page, part)}`).toBe(`${part} true`)
    }
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
  })

test("an empty file is said to be empty; of several files each becomes a run (H21)", async ({ app }) => {
  const page = await app.open()
  await setUp(page, { length: 20 })
  await dropFiles(page, [{ name: "nothing.txt", bytes: Buffer.alloc(0) }])
  await expect(page.getByText("nothing.txt is empty: there is nothing to go on from.")).toBeVisible()
  await dropFiles(page, [
    { name: "one.txt", bytes: Buffer.from("The first file") },
    { name: "two.txt", bytes: Buffer.from("The second file") },
  ])
  await expect(rows(page)).toHaveCount(2)
  await finished(page)
  await expect
    .poll(() => itemsOf(app.home).map(({ given, status }) => `${given} ${status}`))
    .toEqual(expect.arrayContaining(["14 done", "15 done"]))
})

test("a number out of its range is said, and what stays (H22)", async ({ app }) => {
  const page = await app.open()
  await openSettings(page)
  const futures = page.getByRole("textbox", { name: "Futures" })
  await futures.fill("99")
  await expect(page.getByRole("alert").filter({ hasText: "A whole number from 1 to 8." })).toBeVisible()
  await futures.blur()
  await expect(page.getByText(/It stays at \d+\./)).toBeVisible()
  await expect(futures).not.toHaveValue("99")
})
