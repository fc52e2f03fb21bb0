import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { AxeBuilder } from "@axe-core/playwright"
import type { Page } from "@playwright/test"
import { writeWav } from "../../contract/wav.ts"
import { dropFiles, expect, test } from "./app.ts"

const chooseNoise = (page: Page) => page.getByRole("combobox", { name: "Model" }).selectOption({ label: "Noise" })
const finished = (page: Page) => expect(page.getByRole("button", { name: "Regenerate" }).first()).toBeEnabled()
const tone = () => readFileSync(join(import.meta.dirname, "../sounds/tone.mp3"))
const folderOf = (home: string) => {
  const [id = ""] = readdirSync(join(home, "library")).filter((n) => !n.startsWith("."))
  return join(home, "library", id)
}
const samplesOf = (wav: Buffer) => wav.subarray(wav.indexOf("data") + 8)

test.beforeEach(({ app }) => app.addRandomSoundPack())

test("make a sound, hear it, find it as a WAV in the library, save it as FLAC", async ({ app }) => {
  const page = await app.open()
  await chooseNoise(page)
  await page.getByRole("button", { name: "organ", exact: true }).click()
  await expect(page.getByText("seconds", { exact: true })).toBeVisible()
  await page.getByRole("textbox", { name: "Length" }).fill("1")
  await page.keyboard.press("Control+Enter")
  await finished(page)
  await expect(page.getByRole("img", { name: "Sound of A sound: organ" })).toBeVisible()
  expect(samplesOf(readFileSync(join(folderOf(app.home), "sound.wav")))).toHaveLength(16000)
  await page.getByRole("button", { name: "Play" }).click()
  await expect(page.getByText(/0\.[1-9] s of 1\.0 s/)).toBeVisible()
  await expect(page.getByRole("button", { name: "▶ Play" })).toBeVisible()
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save FLAC" }).click(),
  ])
  expect(file.suggestedFilename()).toBe("A sound organ.flac")
  expect(
    readFileSync(await file.path())
      .subarray(0, 4)
      .toString(),
  ).toBe("fLaC")
  expect(app.errors).toEqual([])
})

test("drop a recording: it is shown, goes on from a chosen time, and a saved one restores its settings", async ({
  app,
}) => {
  const page = await app.open()
  await dropFiles(page, [{ name: "tone.mp3", bytes: tone() }])
  await expect(page.getByText(/MP3, 44.1 kHz .* → 8 kHz mono/)).toBeVisible()
  await expect(page.getByText("1.0 s of 1.0 s")).toBeVisible()
  await page.getByRole("slider", { name: "Time to keep" }).fill("4000")
  await expect(page.getByText("0.5 s of 1.0 s")).toBeVisible()
  await page.getByRole("textbox", { name: "Length" }).fill("1")
  await page.getByRole("textbox", { name: "Seed" }).fill("99")
  await page.getByRole("button", { name: /Continue the sound/ }).click()
  await finished(page)
  const item = JSON.parse(readFileSync(join(folderOf(app.home), "item.json"), "utf8"))
  expect(item).toMatchObject({ title: "tone.mp3", given: 4000, bytes: 12000, modality: "audio" })
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save WAV" }).click(),
  ])
  const wav = readFileSync(await file.path())
  await page.reload()
  await dropFiles(page, [{ name: "back.wav", bytes: wav }])
  await expect(page.getByText(/settings are restored/)).toBeVisible()
  await expect(page.getByRole("textbox", { name: "Seed" })).toHaveValue("99")
  await expect(page.getByText("1.5 s of 1.5 s")).toBeVisible()
})

test("an example is one click away, and a sound is dragged out as a WAV that brings its settings back", async ({
  app,
}) => {
  const page = await app.open()
  await chooseNoise(page)
  await page.getByRole("button", { name: /Try it on an example/ }).click()
  await expect(page.getByRole("heading", { name: "chorale.flac" })).toBeVisible()
  await page.getByRole("textbox", { name: "Seed" }).fill("77")
  await page.getByRole("slider", { name: "Time to keep" }).fill("4000")
  await page.getByRole("textbox", { name: "Length" }).fill("1")
  await page.keyboard.press("Control+Enter")
  await finished(page)
  const transfer = await page.evaluateHandle(() => new DataTransfer())
  await page.dispatchEvent(".column h2", "dragstart", { dataTransfer: transfer })
  const url = await transfer.evaluate((t) => t.getData("DownloadURL"))
  const [, base64 = ""] = /^audio\/wav:choraleflac\.wav:data:audio\/wav;base64,(.*)$/.exec(url) ?? []
  const wav = Buffer.from(base64, "base64")
  expect(samplesOf(wav)).toHaveLength(2 * 12000)
  await page.reload()
  await dropFiles(page, [{ name: "back.wav", bytes: wav }])
  await expect(page.getByText(/settings are restored/)).toBeVisible()
  await expect(page.getByRole("textbox", { name: "Seed" })).toHaveValue("77")
})

test("drop a recording of half an hour: that it is read is told, and its end is gone on from", async ({ app }) => {
  const page = await app.open()
  const hiss = Float32Array.from({ length: 2100 * 8000 }, (_, i) => ((i * 7919) % 1000) / 2000)
  await dropFiles(page, [{ name: "long.wav", bytes: Buffer.from(writeWav(hiss, 8000)) }])
  await expect(page.getByText("Reading long.wav")).toBeVisible()
  await expect(page.getByText("WAV, the last 600 of 2100 seconds")).toBeVisible()
  await expect(page.getByText("600.0 s of 600.0 s")).toBeVisible()
  await expect(page.getByText("Reading long.wav")).toBeHidden()
  expect(app.errors).toEqual([])
})

test("a video is refused, and a recording is scored with its surprise over the waveform", async ({ app }) => {
  const page = await app.open()
  await dropFiles(page, [{ name: "film.mp4", bytes: readFileSync(join(import.meta.dirname, "../sounds/film.mp4")) }])
  await expect(page.getByText(/film.mp4 is a video/)).toBeVisible()
  await dropFiles(page, [{ name: "tone.mp3", bytes: tone() }])
  await expect(page.getByRole("img", { name: "The sound to go on from" })).toBeVisible()
  const check = async () =>
    (await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]).analyze()).violations
  expect(await check()).toEqual([])
  await page.getByRole("button", { name: "Score" }).click()
  await expect(page.getByRole("heading", { name: "Score of tone.mp3" })).toBeVisible()
  await expect(page.getByRole("button", { name: "Surprise" })).toHaveAttribute("aria-pressed", "true")
  expect(await check()).toEqual([])
})
