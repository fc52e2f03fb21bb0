import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { Page } from "@playwright/test"
import sharp from "sharp"
import { dropFiles, expect, test } from "./app.ts"
import {
  chooseModel,
  finished,
  folderOf,
  idsOf,
  itemsOf,
  openSettings,
  prompt,
  rows,
  setUp,
  share,
  violations,
  writing,
} from "./steps.ts"

/** Pictures, one at a time where nothing else is said. */
async function choosePictures(page: Page, futures = 1): Promise<void> {
  await chooseModel(page, "Tiny pictures")
  await setUp(page, { futures })
}
const picture = (page: Page) => page.getByRole("img", { name: /^Picture of/ }).first()
const pixels = (file: string | Buffer) => sharp(file).removeAlpha().raw().toBuffer()
/** What a canvas of the page shows, as RGB bytes. */
const shown = (page: Page) =>
  picture(page).evaluate((el) => {
    const c = el as HTMLCanvasElement
    const rgba = c.getContext("2d")?.getImageData(0, 0, c.width, c.height).data ?? new Uint8ClampedArray()
    return [...rgba].filter((_, i) => i % 4 < 3)
  })

const drop = (page: Page, name: string, bytes: Buffer) => dropFiles(page, [{ name, bytes }])

/** Sky above, grass below, 300 x 200. */
const photo = () =>
  sharp({ create: { width: 300, height: 200, channels: 3, background: "#3a7" } })
    .composite([{ input: { create: { width: 300, height: 90, channels: 3, background: "#59f" } }, left: 0, top: 0 }])
    .jpeg()
    .toBuffer()

test("choose a style, watch a picture fill, and find it as a PNG in the library", async ({ app }) => {
  const page = await app.open()
  await choosePictures(page)
  await page.getByRole("button", { name: "emoji", exact: true }).click()
  await page.keyboard.press("Control+Enter")
  await expect(page.getByRole("progressbar")).toBeVisible()
  await finished(page)
  await expect(page.getByRole("button", { name: "Make another" })).toBeVisible()
  const file = join(folderOf(app.home), "picture.png")
  expect([...(await pixels(file))]).toEqual(await shown(page))
  expect((await sharp(file).metadata()).width).toBe(32)
  await expect(page.locator(".items img").first()).toHaveAttribute("src", /^data:image\/png/)
  expect(app.errors).toEqual([])
})

test("drop a photo, choose the row, and it goes on from there", async ({ app }) => {
  const page = await app.open()
  await drop(page, "meadow.jpg", await photo())
  await expect(page.getByRole("heading", { name: "meadow.jpg" })).toBeVisible()
  await expect(page.getByText("300×200 → 32×32, center crop")).toBeVisible()
  await expect(page.getByText("16 of 32 rows")).toBeVisible()
  const slider = page.getByRole("slider", { name: "Rows to keep" })
  await slider.fill("11")
  await expect(page.getByText("11 of 32 rows")).toBeVisible()
  await setUp(page, {})
  await page.getByRole("button", { name: /Continue the picture/ }).click()
  await finished(page)
  const item = JSON.parse(readFileSync(join(folderOf(app.home), "item.json"), "utf8"))
  expect(item).toMatchObject({ title: "meadow.jpg", given: 11 * 96, bytes: 3072, status: "done" })
  const kept = await sharp(await photo())
    .resize(32, 32)
    .raw()
    .toBuffer()
  expect((await shown(page)).slice(0, 11 * 96)).toEqual([...kept.subarray(0, 11 * 96)])
})

test("stop keeps the rows that are there, continue completes them", async ({ app }) => {
  const page = await app.open()
  await choosePictures(page, 8)
  await page.keyboard.press("Control+Enter")
  await writing(page)
  await page.keyboard.press("Escape")
  await finished(page)
  const before = JSON.parse(readFileSync(join(folderOf(app.home), "item.json"), "utf8"))
  expect(before.status).toBe("stopped")
  expect(before.bytes).toBeGreaterThan(0)
  expect(before.bytes).toBeLessThan(3072)
  const partial = await shown(page)
  await setUp(page, {})
  await page.getByRole("button", { name: /^Continue/ }).click()
  await expect(page.getByRole("button", { name: "Make another" })).toBeVisible()
  expect((await shown(page)).slice(0, before.bytes)).toEqual(partial.slice(0, before.bytes))
})

test("a click in the picture shows its patch; a branch goes on from there", async ({ app }) => {
  const page = await app.open()
  await choosePictures(page)
  await page.keyboard.press("Control+Enter")
  await finished(page)
  const original = await shown(page)
  const box = await picture(page).boundingBox()
  if (!box) throw new Error("no picture")
  const at = { x: box.width * (12.5 / 32), y: box.height * (20.5 / 32) }
  await picture(page).click({ position: at })
  await expect(page.locator(".patch-own .swatch")).toHaveCount(24)
  expect(idsOf(app.home)).toHaveLength(1)
  await page.locator("body").press("b")
  await expect.poll(() => idsOf(app.home).length).toBe(2)
  await finished(page)
  expect(itemsOf(app.home).filter((i) => i.parent)).toHaveLength(1)
  const fork = 20 * 96 + 24
  expect((await shown(page)).slice(0, fork)).toEqual(original.slice(0, fork))
})

test("save small and large; a dropped export restores its settings and its pixels", async ({ app }) => {
  const page = await app.open()
  await choosePictures(page)
  await page.getByRole("button", { name: "emoji", exact: true }).click()
  await setUp(page, { seed: 1234 })
  await page.keyboard.press("Control+Enter")
  await finished(page)
  const original = await shown(page)
  const save = async (button: string) => {
    const [file] = await Promise.all([page.waitForEvent("download"), share(page, button)])
    return readFileSync(await file.path())
  }
  expect([...(await pixels(await save("Save PNG")))]).toEqual(original)
  const large = await save("Save large PNG")
  expect((await sharp(large).metadata()).width).toBe(512)

  await page.reload()
  await drop(page, "back.png", large)
  await expect(page.getByText(/settings are restored/)).toBeVisible()
  await openSettings(page)
  await expect(page.getByRole("textbox", { name: "Seed" })).toHaveValue("1234")
  await expect(page.getByRole("button", { name: "emoji", exact: true })).toHaveAttribute("aria-pressed", "true")
  await page.getByRole("slider", { name: "Rows to keep" }).fill("0")
  await setUp(page, {})
  await page.getByRole("button", { name: /Continue the picture/ }).click()
  await finished(page)
  expect(await shown(page)).toEqual(original)
})

test("score a picture: a heat map of where the model was surprised", async ({ app }) => {
  const page = await app.open()
  await drop(page, "meadow.jpg", await photo())
  await page.getByRole("button", { name: "Surprise" }).click()
  await expect(page.getByRole("heading", { name: /Score of meadow.jpg/ })).toBeVisible()
  await expect(page.getByRole("button", { name: "Surprise" })).toHaveAttribute("aria-pressed", "true")
  await expect(page.locator(".headline")).toContainText(/\d\.\d\d bits\/byte; usual \d\.\d\d/)
  await expect(rows(page)).toContainText("scored")
})

test("a broken picture is refused in one line, and the draft stays", async ({ app }) => {
  const page = await app.open()
  await prompt(page).fill("kept")
  await drop(page, "broken.png", Buffer.from("\x89PNG\r\n\x1a\nnothing", "latin1"))
  await expect(page.getByText(/broken.png cannot be read as a picture/)).toBeVisible()
  await expect(prompt(page)).toHaveValue("kept")
})

test("axe finds nothing while a picture is drafted and looked at", async ({ app }) => {
  const page = await app.open()
  await drop(page, "meadow.jpg", await photo())
  await expect(page.getByRole("heading", { name: "meadow.jpg" })).toBeVisible()
  expect(await violations(page)).toEqual([])
  await page.keyboard.press("Control+Enter")
  await finished(page)
  await page.getByRole("button", { name: "Surprise" }).click()
  expect(await violations(page)).toEqual([])
})
