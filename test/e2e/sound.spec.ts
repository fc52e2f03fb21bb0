import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { Page } from "@playwright/test"
import { writeWav } from "../../contract/wav.ts"
import { dropFiles, expect, test } from "./app.ts"
import { chooseModel, finished, folderOf, openSettings, setUp, share, strip, violations } from "./steps.ts"

const chooseNoise = (page: Page) => chooseModel(page, "Noise")
const tone = () => readFileSync(join(import.meta.dirname, "../sounds/tone.mp3"))
const samplesOf = (wav: Buffer) => wav.subarray(wav.indexOf("data") + 8)

test.beforeEach(({ app }) => app.addRandomSoundPack())

test("make a sound, hear it, find it as a WAV in the library, save it as FLAC (H24)", async ({ app }) => {
  const page = await app.open()
  await chooseNoise(page)
  await page.getByRole("button", { name: "organ", exact: true }).click()
  await expect(page.getByText("seconds", { exact: true })).toBeVisible()
  await setUp(page, { length: 6 })
  await page.keyboard.press("Control+Enter")
  await finished(page)
  await expect(page.getByRole("img", { name: "Sound of A sound: organ" })).toBeVisible()
  expect(samplesOf(readFileSync(join(folderOf(app.home), "sound.wav")))).toHaveLength(2 * 48000)
  await page.getByRole("button", { name: "Play", exact: true }).click()
  await expect(page.getByText(/(0\.[1-9]|[1-5]\.\d) s of 6\.0 s/)).toBeVisible()
  await page.keyboard.press("Space")
  await expect(page.getByRole("button", { name: "Play", exact: true })).toBeVisible()
  await page.getByRole("radio", { name: "Spectrum" }).check()
  await expect(page.getByRole("img", { name: /^Spectrum of/ })).toBeVisible()
  await page.getByRole("radio", { name: "Notes" }).check()
  await expect(page.getByRole("img", { name: /^Notes of/ })).toBeVisible()
  const [midi] = await Promise.all([page.waitForEvent("download"), share(page, "Save notes (MIDI)")])
  expect(midi.suggestedFilename()).toBe("A sound organ.mid")
  const [file] = await Promise.all([page.waitForEvent("download"), share(page, "Save FLAC")])
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
  await setUp(page, { length: 1 })
  await setUp(page, { seed: 99 })
  await page.getByRole("button", { name: /Continue the sound/ }).click()
  await finished(page)
  const item = JSON.parse(readFileSync(join(folderOf(app.home), "item.json"), "utf8"))
  expect(item).toMatchObject({ title: "tone.mp3", given: 4000, bytes: 12000, modality: "audio" })
  const [file] = await Promise.all([page.waitForEvent("download"), share(page, "Save WAV")])
  const wav = readFileSync(await file.path())
  await page.reload()
  await dropFiles(page, [{ name: "back.wav", bytes: wav }])
  await expect(page.getByText(/settings are restored/)).toBeVisible()
  await openSettings(page)
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
  await setUp(page, { seed: 77 })
  await page.getByRole("slider", { name: "Time to keep" }).fill("4000")
  await setUp(page, { length: 1 })
  await page.keyboard.press("Control+Enter")
  await finished(page)
  const transfer = await page.evaluateHandle(() => new DataTransfer())
  await page.dispatchEvent(".topbar h1", "dragstart", { dataTransfer: transfer })
  const url = await transfer.evaluate((t) => t.getData("DownloadURL"))
  const [, base64 = ""] = /^audio\/wav:choraleflac\.wav:data:audio\/wav;base64,(.*)$/.exec(url) ?? []
  const wav = Buffer.from(base64, "base64")
  expect(samplesOf(wav)).toHaveLength(2 * 12000)
  await page.reload()
  await dropFiles(page, [{ name: "back.wav", bytes: wav }])
  await expect(page.getByText(/settings are restored/)).toBeVisible()
  await openSettings(page)
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

/** A short film that the browser itself records: a canvas that changes, and a tone. */
const film = async (page: Page) => {
  const base64 = await page.evaluate(async () => {
    const canvas = document.createElement("canvas")
    const context = new AudioContext()
    await context.resume()
    const tone = new OscillatorNode(context)
    const sound = context.createMediaStreamDestination()
    tone.connect(sound)
    tone.start()
    const stream = new MediaStream([...canvas.captureStream(10).getTracks(), ...sound.stream.getTracks()])
    const recorder = new MediaRecorder(stream, { mimeType: "video/webm;codecs=vp8,opus" })
    const pieces: Blob[] = []
    recorder.ondataavailable = (e) => pieces.push(e.data)
    const ended = new Promise((resolve) => recorder.addEventListener("stop", resolve))
    recorder.start()
    for (let i = 0; i < 15; i++) {
      canvas.getContext("2d")?.fillRect(0, 0, 10 * i, 100)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    recorder.stop()
    await ended
    const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer())
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
  })
  return Buffer.from(base64, "base64")
}

test("a video gives its sound, by the app's decoders or the browser's; a damaged one is refused in a line", async ({
  app,
}) => {
  const page = await app.open()
  const draft = page.getByRole("img", { name: "The sound to go on from" })
  await dropFiles(page, [{ name: "clip.webm", bytes: await film(page) }])
  await expect(page.getByText(/^the sound of a video, 48 kHz .* → 8 kHz mono$/)).toBeVisible()
  await expect(draft).toBeVisible()
  await page.getByRole("button", { name: /^New/ }).first().click()
  const mp4 = readFileSync(join(import.meta.dirname, "../sounds/film.mp4"))
  await dropFiles(page, [{ name: "film.mp4", bytes: mp4 }])
  // Not every Chromium has AAC.
  if (await page.evaluate(() => document.createElement("audio").canPlayType('audio/mp4; codecs="mp4a.40.2"'))) {
    await expect(page.getByText("The sound of film.mp4 is taken.")).toBeVisible()
    await expect(draft).toBeVisible()
  } else await expect(page.getByText(/film.mp4 is a video; save its sound alone/)).toBeVisible()
  await dropFiles(page, [{ name: "broken.mp4", bytes: mp4.subarray(0, mp4.length / 4) }])
  await expect(page.getByText(/broken.mp4 is (an MP4 without sound|a video)/)).toBeVisible()
})

test("the strip and a sound's view point at each other; it plays from the chosen patch (H16)", async ({ app }) => {
  const page = await app.open()
  await chooseNoise(page)
  await setUp(page, { length: 8 })
  await page.keyboard.press("Control+Enter")
  await finished(page)
  const box = await strip(page).boundingBox()
  const wave = page.locator("canvas.wave")
  const view = await wave.boundingBox()
  if (!box || !view) throw new Error("nothing to point at")
  await strip(page).hover({ position: { x: box.width / 4, y: 20 } })
  const hovered = await page.locator(".stretch.hovered").boundingBox()
  expect(((hovered?.x ?? 0) - view.x) / view.width).toBeCloseTo(0.25, 1)
  for (const look of ["Spectrum", "Notes", "Wave"]) {
    await page.getByRole("radio", { name: look }).check()
    await wave.click({ position: { x: view.width / 2, y: 30 } })
    await expect(page.locator(".stretch.selected")).toBeVisible()
    await expect(page.locator(".patch-card")).toBeVisible()
    await page.keyboard.press("Escape")
    await expect(page.locator(".stretch.selected")).toHaveCount(0)
  }
  await strip(page).click({ position: { x: box.width / 2, y: 20 } })
  await expect(page.getByText(/^4\.0 s of 8\.0 s/)).toBeVisible()
  // The strip has the focus now, and the space bar still plays.
  await page.keyboard.press("Space")
  await expect(page.getByText(/^(4\.[1-9]|[567]\.\d) s of 8\.0 s/)).toBeVisible()
  await expect(page.getByRole("button", { name: "Pause", exact: true })).toBeVisible()
  expect(app.errors).toEqual([])
})

test("a change of theme changes the wave's colors (H13)", async ({ app }) => {
  const page = await app.open()
  await dropFiles(page, [{ name: "tone.mp3", bytes: tone() }])
  const wave = page.getByRole("img", { name: "The sound to go on from" })
  const middle = () =>
    wave.evaluate((el) => {
      const canvas = el as HTMLCanvasElement
      const { data } = canvas.getContext("2d")?.getImageData(canvas.width >> 1, canvas.height >> 1, 1, 1) ?? {}
      return [...(data ?? [])].join()
    })
  await page.emulateMedia({ colorScheme: "light" })
  await expect(wave).toBeVisible()
  await expect.poll(middle).not.toBe("0,0,0,0")
  const light = await middle()
  await page.emulateMedia({ colorScheme: "dark" })
  await expect.poll(middle).not.toBe(light)
})

test("a recording is scored with its surprise over the waveform", async ({ app }) => {
  const page = await app.open()
  await dropFiles(page, [{ name: "tone.mp3", bytes: tone() }])
  await expect(page.getByRole("img", { name: "The sound to go on from" })).toBeVisible()
  expect(await violations(page)).toEqual([])
  await page.getByRole("button", { name: "Surprise" }).click()
  await expect(page.getByRole("heading", { name: "Score of tone.mp3" })).toBeVisible()
  await expect(page.getByRole("button", { name: "Surprise" })).toHaveAttribute("aria-pressed", "true")
  expect(await violations(page)).toEqual([])
})

test("hear a sound while it is made: no gap from its first sample to its last (B1)", async ({ app }) => {
  const page = await app.open()
  await chooseNoise(page)
  await setUp(page, { length: 3 })
  const play = page.locator("[data-play]")
  /** Gaps in a sound of three seconds, heard from the first, and whether it was made as fast as it plays. */
  const hear = async () => {
    const began = Date.now()
    await page.keyboard.press("Control+Enter")
    await expect(play).toBeEnabled()
    await play.click()
    await finished(page)
    const inTime = Date.now() - began < 3000
    // It may have been played to its end by now.
    await expect(page.getByRole("button", { name: "Play", exact: true })).toBeVisible()
    return { gaps: Number(await play.getAttribute("data-gaps")), inTime }
  }
  let heard = await hear()
  // A machine that is busy with something else may stand still in the middle of a sound.
  for (let again = 0; heard.gaps && again < 3; again++) {
    await page.getByRole("button", { name: /^New/ }).first().click()
    heard = await hear()
  }
  test.skip(heard.gaps > 0 && !heard.inTime, "This machine is too busy to make sound as fast as it plays.")
  expect(heard.gaps).toBe(0)
  expect(app.errors).toEqual([])
})
