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
  stopAtFirst,
  violations,
} from "./steps.ts"

/** Pictures, one at a time where nothing else is said. */
async function choosePictures(page: Page, futures = 1): Promise<void> {
  await chooseModel(page, "Pixel pictures")
  await setUp(page, { futures })
}
const picture = (page: Page) => page.getByRole("img", { name: /^Picture of/ }).first()
const WIDTH = 32
/** The colors of a file's pixels, 0 where there is none. */
async function pixels(file: string | Buffer): Promise<number[]> {
  const rgba = await sharp(file).ensureAlpha().raw().toBuffer()
  return Array.from({ length: rgba.length / 4 }, (_, i) => (rgba[4 * i + 3] ? rgba.readUIntBE(4 * i, 3) + 1 : 0))
}
/** What a canvas of the page shows, in the same way. */
const shown = (page: Page, canvas = picture(page)) =>
  canvas.evaluate((el) => {
    const c = el as HTMLCanvasElement
    const rgba = c.getContext("2d")?.getImageData(0, 0, c.width, c.height).data ?? new Uint8ClampedArray()
    const color = (at: number) => ((rgba[at] ?? 0) << 16) + ((rgba[at + 1] ?? 0) << 8) + (rgba[at + 2] ?? 0)
    return Array.from({ length: rgba.length / 4 }, (_, i) => (rgba[4 * i + 3] ? color(4 * i) + 1 : 0))
  })
/** The picture that is to be gone on from. */
const drafted = (page: Page) => page.getByRole("img", { name: "The picture to go on from" })
/** An RPG sprite of 16 x 16, as artists draw them: few colors, a clear ground. */
const sprite = () => {
  const data = Buffer.alloc(16 * 16 * 4)
  for (let i = 0; i < 256; i++) {
    const [x, y] = [i % 16, i >> 4]
    if ((x - 7.5) ** 2 + (y - 7.5) ** 2 < 40) data.set([...(y < 8 ? [206, 30, 31] : [36, 54, 110]), 255], 4 * i)
  }
  return sharp(data, { raw: { width: 16, height: 16, channels: 4 } })
    .png()
    .toBuffer()
}

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
  await page.getByRole("button", { name: "face", exact: true }).click()
  await page.keyboard.press("Control+Enter")
  await finished(page)
  await expect(page.getByRole("button", { name: "Make another" })).toBeVisible()
  const file = join(folderOf(app.home), "picture.png")
  expect(await pixels(file)).toEqual(await shown(page))
  expect((await sharp(file).metadata()).width).toBe(32)
  await expect(page.locator(".items img").first()).toHaveAttribute("src", /^data:image\/png/)
  expect(app.errors).toEqual([])
})

test("drop a photo, choose the row, and it goes on from there", async ({ app }) => {
  const page = await app.open()
  await drop(page, "meadow.jpg", await photo())
  await expect(page.getByRole("heading", { name: "meadow.jpg" })).toBeVisible()
  await expect(page.getByText("300×200 → 32×32, center crop, the nearest of 64 colors")).toBeVisible()
  await expect(page.getByText("16 of 32 rows")).toBeVisible()
  const slider = page.getByRole("slider", { name: "Rows to keep" })
  await slider.fill("11")
  await expect(page.getByText("11 of 32 rows")).toBeVisible()
  const kept = await shown(page, drafted(page))
  await setUp(page, {})
  await page.getByRole("button", { name: /Continue the picture/ }).click()
  await finished(page)
  const item = JSON.parse(readFileSync(join(folderOf(app.home), "item.json"), "utf8"))
  expect(item).toMatchObject({ title: "meadow.jpg", given: 11 * WIDTH, bytes: WIDTH ** 2, status: "done" })
  expect((await shown(page)).slice(0, 11 * WIDTH)).toEqual(kept.slice(0, 11 * WIDTH))
})

test("a photo of another shape is cropped where that is wished, its colors mixed by a pattern", async ({ app }) => {
  const page = await app.open()
  await drop(page, "meadow.jpg", await photo())
  await page.getByRole("checkbox", { name: "All of it" }).check()
  await expect(page.getByText("300×200 → 32×32, all of it, the nearest of 64 colors")).toBeVisible()
  expect((await shown(page, drafted(page)))[0]).toBe(0)
  await page.getByRole("checkbox", { name: "Mix colors by a pattern" }).check()
  await expect(page.getByText("300×200 → 32×32, all of it, dithered in 64 colors")).toBeVisible()
})

test("a sprite is enlarged by whole pixels; eight begin with its left half", async ({ app }) => {
  const page = await app.open()
  await drop(page, "ball.png", await sprite())
  await expect(page.getByText("every pixel of 16×16 shown as 2×2")).toBeVisible()
  await page.getByRole("radio", { name: "columns from the left" }).check()
  await expect(page.getByText("16 of 32 columns")).toBeVisible()
  const own = await pixels(
    await sharp(await sprite())
      .resize(WIDTH, WIDTH, { kernel: "nearest" })
      .png()
      .toBuffer(),
  )
  const isKept = (_: number, i: number) => i % WIDTH < 16
  expect((await shown(page, drafted(page))).filter(isKept)).toEqual(own.filter(isKept))
  await page.getByRole("button", { name: "Make eight like the rest of it" }).click()
  await finished(page)
  expect(idsOf(app.home)).toHaveLength(8)
  const [item] = itemsOf(app.home)
  expect(item).toMatchObject({ given: 16 * WIDTH, bytes: WIDTH ** 2, settings: { columns: true } })
  expect((await shown(page)).filter(isKept)).toEqual(own.filter(isKept))
})

test("stop keeps the rows that are there, continue completes them", async ({ app }) => {
  const page = await app.open()
  await choosePictures(page, 8)
  const stopped = stopAtFirst(page)
  await page.keyboard.press("Control+Enter")
  await stopped
  await finished(page)
  const before = JSON.parse(readFileSync(join(folderOf(app.home), "item.json"), "utf8"))
  expect(before.status).toBe("stopped")
  expect(before.bytes).toBeGreaterThan(0)
  expect(before.bytes).toBeLessThan(WIDTH ** 2)
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
  await expect(page.locator(".patch-own .swatch")).toHaveCount(WIDTH)
  expect(idsOf(app.home)).toHaveLength(1)
  await page.locator("body").press("b")
  await expect.poll(() => idsOf(app.home).length).toBe(2)
  await finished(page)
  expect(itemsOf(app.home).filter((i) => i.parent)).toHaveLength(1)
  const fork = 20 * WIDTH
  expect((await shown(page)).slice(0, fork)).toEqual(original.slice(0, fork))
})

test("save small and large; a dropped export restores its settings and its pixels", async ({ app }) => {
  const page = await app.open()
  await choosePictures(page)
  await page.getByRole("button", { name: "face", exact: true }).click()
  await setUp(page, { seed: 1234 })
  await page.keyboard.press("Control+Enter")
  await finished(page)
  const original = await shown(page)
  const save = async (button: string) => {
    const [file] = await Promise.all([page.waitForEvent("download"), share(page, button)])
    return readFileSync(await file.path())
  }
  expect(await pixels(await save("Save PNG"))).toEqual(original)
  const large = await save("Save large PNG")
  expect((await sharp(large).metadata()).width).toBe(512)

  await page.reload()
  await drop(page, "back.png", large)
  await expect(page.getByText(/settings are restored/)).toBeVisible()
  await openSettings(page)
  await expect(page.getByRole("textbox", { name: "Seed" })).toHaveValue("1234")
  await expect(page.getByRole("button", { name: "face", exact: true })).toHaveAttribute("aria-pressed", "true")
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
  await expect(page.locator(".headline")).toContainText(/\d\.\d{2,3} bits\/byte; usual \d\.\d\d/)
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
