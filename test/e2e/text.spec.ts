import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { Page } from "@playwright/test"
import { charactersBegun } from "../../contract/characters.ts"
import { dropFiles, expect, test } from "./app.ts"
import {
  chooseModel,
  count,
  finished,
  idsOf,
  itemsOf,
  prompt,
  rows,
  setUp,
  share,
  strip,
  textOf,
  violations,
  writing,
} from "./steps.ts"

/** The bytes that a run has made so far, as its progress tells them. */
const made = async (page: Page) => Number(/^(\d+) of/.exec((await count(page).textContent()) ?? "")?.[1])
/** The last row that a window shows is the end of `kept`, but for white space. */
async function expectEnd(page: Page, kept: string) {
  const squeeze = (s: string | null) => (s ?? "").replace(/\s+/g, "")
  const tail = squeeze(await page.locator(".text-row").last().textContent()).slice(-60)
  expect(squeeze(kept).endsWith(tail)).toBe(true)
}

test("type, watch it being written, and find it in the library after a restart", async ({ app }) => {
  let page = await app.open()
  await setUp(page, { length: 300 })
  await prompt(page).fill("Once upon a time")
  await page.keyboard.press("Control+Enter")
  await expect(textOf(page)).toContainText("Once upon a time")
  await finished(page)
  const [id = ""] = idsOf(app.home)
  const file = readFileSync(join(app.home, "library", id, "output.txt"))
  expect(charactersBegun(file)).toBe(16 + 300)
  const item = JSON.parse(readFileSync(join(app.home, "library", id, "item.json"), "utf8"))
  expect(item).toMatchObject({ status: "done", bytes: file.length, given: 16, title: "Once upon a time" })

  await app.close()
  page = await app.open()
  await rows(page).filter({ hasText: "Once upon a time" }).click()
  await expect(textOf(page)).toContainText(file.toString("utf8").slice(0, 100).replace(/\s+/g, " ").slice(0, 40))
  expect(app.errors.filter((e) => !e.includes("WebSocket"))).toEqual([])
})

test("what was being written is there after a restart; a file in its place can be taken back", async ({ app }) => {
  let page = await app.open()
  await prompt(page).fill("It was a dark and stormy night")
  await expect.poll(() => existsSync(join(app.home, "draft.txt"))).toBe(true)
  await app.close()
  page = await app.open()
  await expect(prompt(page)).toHaveValue("It was a dark and stormy night")
  await dropFiles(page, [{ name: "story.txt", bytes: Buffer.from("A file") }])
  await expect(prompt(page)).toHaveValue("A file")
  await page.getByRole("button", { name: "Undo" }).click()
  await expect(prompt(page)).toHaveValue("It was a dark and stormy night")
  await setUp(page, { length: 20 })
  await page.keyboard.press("Control+Enter")
  await finished(page)
  await expect.poll(() => existsSync(join(app.home, "draft.txt"))).toBe(false)
})

test("drop a file: the app says what it made of it, and goes on from it", async ({ app }) => {
  const page = await app.open()
  await setUp(page, { length: 40 })
  await dropFiles(page, [{ name: "a story.txt", bytes: Buffer.from("The ship had sailed at dawn.\r\nNobody saw") }])
  await expect(page.getByRole("heading", { name: "a story.txt" })).toBeVisible()
  await expect(page.getByText("line ends made \\n")).toBeVisible()
  await expect(prompt(page)).toHaveValue("The ship had sailed at dawn.\nNobody saw")
  await page.getByRole("button", { name: /Continue the text/ }).click()
  await finished(page)
  await expect(textOf(page)).toContainText("Nobody saw")
})

test("a file that is no text is refused with one clear line, and the draft stays", async ({ app }) => {
  const page = await app.open()
  await prompt(page).fill("kept")
  await page
    .locator("input[type=file]")
    .setInputFiles({ name: "noise.bin", mimeType: "", buffer: Buffer.from([0, 1, 2, 3]) })
  await expect(page.getByText(/noise.bin is neither text nor a picture/)).toBeVisible()
  await expect(prompt(page)).toHaveValue("kept")
})

test("it goes on after the caret; what came after can be taken back", async ({ app }) => {
  const page = await app.open()
  await setUp(page, { length: 24 })
  await prompt(page).fill("Hello there, old friend")
  await prompt(page).evaluate((el: HTMLTextAreaElement) => el.setSelectionRange(5, 5))
  await page.keyboard.press("Control+Enter")
  await finished(page)
  await expect(page.locator(".given").first()).toHaveText("Hello")
  await page.getByRole("button", { name: "Undo" }).click()
  await expect(prompt(page)).toHaveValue("Hello there, old friend")
})

test("stop keeps what is there; continue goes on; another future stands beside it", async ({ app }) => {
  const page = await app.open()
  await setUp(page, { length: 1_000_000 })
  await prompt(page).fill("The king")
  await page.keyboard.press("Control+Enter")
  await expect.poll(() => made(page)).toBeGreaterThan(200)
  await page.keyboard.press("Escape")
  await finished(page)
  const [id = ""] = idsOf(app.home)
  const path = join(app.home, "library", id, "output.txt")
  const stopped = readFileSync(path)
  expect(stopped.length).toBeGreaterThan(100)
  await setUp(page, { length: 80 })
  await page.getByRole("button", { name: /^Continue/ }).click()
  // The button is enabled until the host has answered: the file tells when the run is over.
  const until = charactersBegun(stopped) + 80
  await expect.poll(() => charactersBegun(readFileSync(path))).toBe(until)
  await finished(page)
  const longer = readFileSync(path)
  expect(charactersBegun(longer)).toBe(until)
  expect(longer.subarray(0, stopped.length).equals(stopped)).toBe(true)
  await page.getByRole("button", { name: "Another one" }).click()
  await expect(page.getByRole("article")).toHaveCount(2)
  await finished(page)
  await expect(rows(page)).toHaveCount(1)
})

test("futures stand side by side and differ; a click takes one, the cross discards one (H5)", async ({ app }) => {
  const page = await app.open()
  await setUp(page, { length: 120, futures: 3 })
  await prompt(page).fill("My dear")
  await page.keyboard.press("Control+Enter")
  await finished(page)
  const futures = page.getByRole("article")
  await expect(futures).toHaveCount(3)
  expect(new Set(await page.locator(".future-text").allTextContents()).size).toBe(3)
  const second = await page.locator(".future-text").nth(1).textContent()
  await page.getByRole("button", { name: /^Future 2: show it/ }).click()
  await expect(textOf(page)).toContainText(`My dear ${second}`.slice(0, 40).replace(/^My dear /, ""))
  await page.locator("body").press("1")
  await expect(page.getByRole("button", { name: "Future 1, in the document" })).toBeVisible()
  await page.getByRole("button", { name: "Discard future 3" }).click()
  await expect(futures).toHaveCount(2)
  await page.getByRole("button", { name: "Undo" }).click()
  await expect(futures).toHaveCount(3)
  // Opened again from the library they stand there in the same order.
  const before = await page.locator(".future-text").allTextContents()
  await page.getByRole("button", { name: /^New/ }).first().click()
  await rows(page).first().click()
  await expect(futures).toHaveCount(3)
  expect(await page.locator(".future-text").allTextContents()).toEqual(before)
})

test("a chosen patch shows what else could have stood there, and a branch goes on from it (H16, H17)", async ({
  app,
}) => {
  const page = await app.open()
  await setUp(page, { length: 200 })
  await prompt(page).fill("Alice was")
  await page.keyboard.press("Control+Enter")
  await finished(page)
  const box = await strip(page).boundingBox()
  if (!box) throw new Error("no strip")
  await strip(page).click({ position: { x: box.width * 0.6, y: 10 } })
  const card = page.locator(".patch-card")
  await expect(card).toContainText(/Patch \d+/)
  expect(idsOf(app.home)).toHaveLength(1) // a click on the strip starts nothing
  await expect(card.locator(".patch-byte").first().locator("li")).toHaveCount(5)
  const taken = card.locator(".patch-byte").nth(2).locator("button:enabled").first()
  const letter = (await taken.locator("b").textContent()) ?? ""
  await taken.click()
  await expect.poll(() => idsOf(app.home).length).toBe(2)
  await finished(page)
  await expect(page.getByRole("navigation", { name: "Versions" })).toContainText("Branch 1")
  const items = itemsOf(app.home)
  const branch = items.find((i) => i.parent)
  const parent = items.find((i) => !i.parent)
  if (!branch?.parent || !parent) throw new Error("no branch")
  expect(branch.parent.id).toBe(parent.id)
  const read = (id: string) => readFileSync(join(app.home, "library", id, "output.txt"))
  const { at } = branch.parent
  expect(read(branch.id).subarray(0, at).equals(read(parent.id).subarray(0, at))).toBe(true)
  expect(read(branch.id)[at]).not.toBe(read(parent.id)[at])
  if (/^[!-~]$/.test(letter)) expect(String.fromCharCode(read(branch.id)[at] ?? 0)).toBe(letter)
  await page.getByRole("button", { name: /^Beginning/ }).click()
  await expect(page.getByRole("button", { name: "goes on" })).toBeVisible()
})

test("score shows where the model was surprised (H18)", async ({ app }) => {
  const page = await app.open()
  await prompt(page).fill("The cat sat on the mat. The cat sat on the xqzj.")
  await page.getByRole("button", { name: "Surprise" }).click()
  await expect(page.getByRole("heading", { name: /Score of/ })).toBeVisible()
  await expect(page.locator(".headline")).toContainText(/\d\.\d\d bits\/byte; usual \d\.\d\d/)
  await expect(page.locator(".text-row span[style*=background]").first()).toBeVisible()
})

test("rename, star, search in what was made, delete and undo (H7)", async ({ app }) => {
  const page = await app.open()
  await setUp(page, { length: 16 })
  for (const text of ["Apples are", "Bears are"]) {
    await page.getByRole("button", { name: /^New/ }).first().click()
    await prompt(page).fill(text)
    await page.keyboard.press("Control+Enter")
    await finished(page)
  }
  await page.getByRole("searchbox").fill("apple")
  await expect(rows(page)).toHaveCount(1)
  await rows(page).click()
  await share(page, "Rename")
  await page.getByRole("textbox", { name: "New name" }).fill("Pie")
  await page.keyboard.press("Enter")
  await expect(page.getByRole("heading", { name: "Pie" })).toBeVisible()
  // Its text still begins with the words that are searched for.
  await expect(rows(page)).toContainText("Pie")
  await page.getByRole("button", { name: "Star it" }).click()
  await expect(rows(page).locator(".row-title svg")).toBeVisible()
  await share(page, "Delete")
  await expect(rows(page)).toHaveCount(0)
  await page.getByRole("button", { name: "Undo" }).click()
  await expect(rows(page)).toHaveCount(1)
  await expect(page.getByRole("heading", { name: "Pie" })).toBeVisible()
  await page.getByRole("searchbox").fill("")
  await expect(rows(page)).toHaveCount(2)
})

test("a dying engine loses nothing: it is said, and continue goes on", async ({ app }) => {
  const page = await app.open()
  await setUp(page, { length: 1_000_000 })
  await prompt(page).fill("The sea")
  await page.keyboard.press("Control+Enter")
  await writing(page)
  await expect.poll(() => made(page)).toBeGreaterThan(200)
  await app.killEngine()
  await expect(page.getByText(/The engine stopped unexpectedly/)).toBeVisible()
  const [id = ""] = idsOf(app.home)
  // Only then has the last patch been written.
  const status = () => JSON.parse(readFileSync(join(app.home, "library", id, "item.json"), "utf8")).status
  await expect.poll(status).toBe("interrupted")
  const kept = readFileSync(join(app.home, "library", id, "output.txt"), "utf8")
  expect(kept.length).toBeGreaterThan(200)
  const shown = await textOf(page).textContent()
  expect(kept.replaceAll("\n", "").startsWith((shown ?? "").replaceAll("\n", "").slice(0, 200))).toBe(true)
  await setUp(page, { length: 50 })
  await page.getByRole("button", { name: /^Continue/ }).click()
  const length = () => charactersBegun(readFileSync(join(app.home, "library", id, "output.txt")))
  await expect.poll(length).toBe(charactersBegun(Buffer.from(kept)) + 50)
  await finished(page)
  expect(length()).toBe(charactersBegun(Buffer.from(kept)) + 50)
})

test("a window that comes back in the middle of a run shows all of it", async ({ app }) => {
  const page = await app.open()
  await setUp(page, { length: 1_000_000 })
  await prompt(page).fill("The moon")
  await page.keyboard.press("Control+Enter")
  await writing(page)
  const before = await made(page)
  await page.reload()
  await expect(textOf(page)).toContainText("The moon")
  await expect.poll(() => made(page)).toBeGreaterThan(before)
  await page.keyboard.press("Escape")
  await finished(page)
  const [id = ""] = idsOf(app.home)
  const kept = readFileSync(join(app.home, "library", id, "output.txt"), "utf8")
  await expectEnd(page, kept)
})

test("two windows, another model chosen meanwhile and a cut connection: not a byte is lost", async ({ app }) => {
  app.addRandomPack()
  const page = await app.open()
  await setUp(page, { length: 1_000_000 })
  await prompt(page).fill("The moon")
  await page.keyboard.press("Control+Enter")
  await writing(page)
  const other = await app.another()
  await expect(textOf(other)).toContainText("The moon")
  await chooseModel(page, "Random weights, modern")
  const [id = ""] = idsOf(app.home)
  const read = () => readFileSync(join(app.home, "library", id, "output.txt"), "utf8")
  const before = read().length
  app.cutOff()
  await expect.poll(() => read().length).toBeGreaterThan(before + 1000)
  for (const window of [page, other]) await expect(window.getByText("Connecting to the app")).toBeHidden()
  await other.keyboard.press("Escape")
  await finished(other)
  await rows(page).first().click()
  await finished(page)
  const kept = read()
  for (const window of [page, other]) await expectEnd(window, kept)
})

test("axe finds nothing, light and dark, at the beginning, writing and written", async ({ app }) => {
  const page = await app.open()
  await setUp(page, { length: 100, futures: 3 })
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme })
    await page.getByRole("button", { name: /^New/ }).first().click()
    expect(await violations(page)).toEqual([])
    await prompt(page).fill("A fine day")
    await page.keyboard.press("Control+Enter")
    await finished(page)
    expect(await violations(page)).toEqual([])
    await page.locator("body").press("u")
    await page.locator("body").press("ArrowRight")
    await expect(page.locator(".patch-card")).toBeVisible()
    expect(await violations(page)).toEqual([])
  }
})
