import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { AxeBuilder } from "@axe-core/playwright"
import type { Page } from "@playwright/test"
import sharp from "sharp"
import { dropFiles, expect, test } from "./app.ts"

const choosePictures = (page: Page) =>
  page.getByRole("combobox", { name: "Model" }).selectOption({ label: "Tiny pictures" })
const finished = (page: Page) => expect(page.getByRole("button", { name: "Regenerate" }).first()).toBeEnabled()
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

const folderOf = (home: string) => {
  const [id = ""] = readdirSync(join(home, "library")).filter((n) => !n.startsWith("."))
  return join(home, "library", id)
}

test("choose a style, watch a picture fill, and find it as a PNG in the library", async ({ app }) => {
  const page = await app.open()
  await choosePictures(page)
  await page.getByRole("button", { name: "emoji", exact: true }).click()
  await page.keyboard.press("Control+Enter")
  await expect(page.getByRole("progressbar")).toBeVisible()
  await finished(page)
  await expect(page.getByRole("button", { name: "Complete" })).toBeDisabled()
  const file = join(folderOf(app.home), "picture.png")
  expect([...(await pixels(file))]).toEqual(await shown(page))
  expect((await sharp(file).metadata()).width).toBe(32)
  await expect(page.locator(".items img")).toHaveAttribute("src", /^data:image\/png/)
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
  await choosePictures(page)
  await page.getByRole("textbox", { name: "Variations" }).fill("8")
  await page.keyboard.press("Control+Enter")
  await expect(page.locator(".progress .count")).toContainText("B/s")
  await page.keyboard.press("Escape")
  await finished(page)
  const before = JSON.parse(readFileSync(join(folderOf(app.home), "item.json"), "utf8"))
  expect(before.status).toBe("stopped")
  expect(before.bytes).toBeGreaterThan(0)
  expect(before.bytes).toBeLessThan(3072)
  const partial = await shown(page)
  await page.getByRole("button", { name: "Continue" }).first().click()
  await expect(page.getByRole("button", { name: "Complete" })).toHaveCount(1)
  expect((await shown(page)).slice(0, before.bytes)).toEqual(partial.slice(0, before.bytes))
})

test("a click in the picture forks there; the patch card shows its pixels", async ({ app }) => {
  const page = await app.open()
  await choosePictures(page)
  await page.keyboard.press("Control+Enter")
  await finished(page)
  const original = await shown(page)
  const box = await picture(page).boundingBox()
  if (!box) throw new Error("no picture")
  const at = { x: box.width * (12.5 / 32), y: box.height * (20.5 / 32) }
  await picture(page).hover({ position: at })
  await expect(page.locator(".patch-card .swatch")).toHaveCount(24)
  await picture(page).click({ position: at })
  await finished(page)
  await expect(page.locator(".items .row-title").filter({ hasText: "↳" })).toHaveCount(1)
  const fork = 20 * 96 + 24
  expect((await shown(page)).slice(0, fork)).toEqual(original.slice(0, fork))
})

test("save small and large; a dropped export restores its settings and its pixels", async ({ app }) => {
  const page = await app.open()
  await choosePictures(page)
  await page.getByRole("button", { name: "emoji", exact: true }).click()
  await page.getByRole("textbox", { name: "Seed" }).fill("1234")
  await page.keyboard.press("Control+Enter")
  await finished(page)
  const original = await shown(page)
  const save = async (button: string) => {
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: button }).click(),
    ])
    return readFileSync(await file.path())
  }
  expect([...(await pixels(await save("Save PNG")))]).toEqual(original)
  const large = await save("Save large")
  expect((await sharp(large).metadata()).width).toBe(512)

  await page.reload()
  await drop(page, "back.png", large)
  await expect(page.getByText(/settings are restored/)).toBeVisible()
  await expect(page.getByRole("textbox", { name: "Seed" })).toHaveValue("1234")
  await expect(page.getByRole("button", { name: "emoji", exact: true })).toHaveAttribute("aria-pressed", "true")
  await page.getByRole("slider", { name: "Rows to keep" }).fill("0")
  await page.getByRole("button", { name: /Continue the picture/ }).click()
  await finished(page)
  expect(await shown(page)).toEqual(original)
})

test("score a picture: a heat map of where the model was surprised", async ({ app }) => {
  const page = await app.open()
  await drop(page, "meadow.jpg", await photo())
  await page.getByRole("button", { name: "Score" }).click()
  await expect(page.getByRole("heading", { name: /Score of meadow.jpg/ })).toBeVisible()
  await expect(page.getByRole("button", { name: "Surprise" })).toHaveAttribute("aria-pressed", "true")
  await expect(page.locator(".row-note").first()).toContainText(/\d\.\d\d bits\/byte/)
})

test("a broken picture is refused in one line, and the draft stays", async ({ app }) => {
  const page = await app.open()
  await page.getByRole("textbox", { name: "Prompt" }).fill("kept")
  await drop(page, "broken.png", Buffer.from("\x89PNG\r\n\x1a\nnothing", "latin1"))
  await expect(page.getByText(/broken.png cannot be read as a picture/)).toBeVisible()
  await expect(page.getByRole("textbox", { name: "Prompt" })).toHaveValue("kept")
})

test("no accessibility violations of level A or AA while drafting and looking at a picture", async ({ app }) => {
  const page = await app.open()
  await drop(page, "meadow.jpg", await photo())
  await expect(page.getByRole("heading", { name: "meadow.jpg" })).toBeVisible()
  const check = async () =>
    (await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]).analyze()).violations
  expect(await check()).toEqual([])
  await page.keyboard.press("Control+Enter")
  await finished(page)
  await page.getByRole("button", { name: "Surprise" }).click()
  expect(await check()).toEqual([])
})
