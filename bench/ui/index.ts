import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { chromium, type Page } from "@playwright/test"
import { z } from "zod"
import { App } from "../../test/e2e/app.ts"
import { chooseModel, prompt, setUp } from "../../test/e2e/steps.ts"
import { browser as found } from "../../test/support/browser.ts"

/**
 * `npm run bench:ui -- [SECONDS]`: how smooth the window stays while it writes a text as fast as it can (tiny random
 * weights), with 10,000 items in the library too, and while it plays a sound; how soon after the click a tune is heard; and
 * what a long text costs in DOM nodes and memory. Frames are those of the browser's own trace.
 */
const Trace = z.object({ traceEvents: z.array(z.object({ name: z.string(), ts: z.number() })) })

/** Frames that the browser drew, by its trace: how many a second, the longest gap in ms, and those it dropped. */
function framesOf(trace: Buffer): { perSecond: number; longest: number; dropped: number } {
  const events = Trace.parse(JSON.parse(trace.toString())).traceEvents
  const drawn = events.flatMap(({ name, ts }) => (name === "DrawFrame" ? [ts / 1000] : [])).sort((a, b) => a - b)
  const gaps = drawn.slice(1).map((t, i) => t - (drawn[i] as number))
  const dropped = events.filter(({ name }) => name === "DroppedFrame").length
  const whole = gaps.reduce((a, b) => a + b, 0)
  return { perSecond: (1000 * gaps.length) / whole, longest: Math.max(...gaps), dropped }
}

const PACK = join(import.meta.dirname, "../../test/parity/story")
const TITLE = z.object({ title: z.string() }).parse(JSON.parse(readFileSync(join(PACK, "pack.json"), "utf8"))).title
const seconds = Number(process.argv[2] ?? 20)
const browser = await chromium.launch({
  ...found(),
  args: ["--no-sandbox", "--disable-background-networking", "--disable-sync", "--enable-precise-memory-info"],
})

/** Prints what `wait` ms of the window are like, in as many parts. */
async function measure(page: Page, name: string, parts: number): Promise<void> {
  for (let part = 0; part < parts; part++) {
    await browser.startTracing(page, { categories: ["disabled-by-default-devtools.timeline.frame"] })
    await page.waitForTimeout((seconds * 1000) / parts)
    const frames = framesOf(await browser.stopTracing())
    const { nodes, heap, count } = await page.evaluate(() => ({
      nodes: document.querySelectorAll("*").length,
      heap: (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize / 2 ** 20,
      count: document.querySelector(".progress .count, .sound .count")?.textContent ?? "finished",
    }))
    console.log(
      `${name}: ${frames.perSecond.toFixed(0)} frames/s, longest frame ${frames.longest.toFixed(0)} ms, ` +
        `${frames.dropped} dropped, ${nodes} DOM nodes, heap ${heap.toFixed(0)} MB: ${count}`,
    )
  }
}

/** Runs `act` in a window of its own. */
async function inWindow(prepare: (app: App) => void, act: (page: Page) => Promise<void>): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.addInitScript("globalThis.__name = (f) => f") // tsx names functions with a helper that the page lacks
  const app = new App(page)
  try {
    prepare(app)
    await app.open()
    await act(page)
  } finally {
    await page.close()
    await app.remove()
  }
}

/** A library of so many texts. */
function fill(home: string, items: number): void {
  const sampling = { temperature: 1, topP: 1, topK: 0, minP: 0 }
  const settings = { pack: "text", length: 60, seed: 1, variations: 1, sampling, style: 0 }
  for (let i = 0; i < items; i++) {
    const id = `bench-${i}`
    const text = `Once upon a time there were ${i} foxes.`
    const folder = join(home, "library", id)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, "output.txt"), text)
    const item = { id, title: `Story ${i}`, created: i, modality: "text", file: "output.txt", settings, variation: 0 }
    const made = { given: 0, bytes: text.length, bitsPerByte: 1, favourite: false, status: "done" }
    writeFileSync(join(folder, "item.json"), JSON.stringify({ ...item, ...made }))
  }
}

/** Adds the fastest pack for texts that there is: tiny random weights. */
function addPack(home: string): void {
  cpSync(PACK, join(home, "packs/parity-story"), { recursive: true })
}

/** Writes on and on. */
async function write(page: Page): Promise<void> {
  await chooseModel(page, TITLE)
  await setUp(page, { length: 1_000_000 })
  await prompt(page).fill("x")
  await page.keyboard.press("Control+Enter")
  await page.waitForFunction(() => document.querySelector(".progress .count")?.textContent?.includes("left"))
}

await inWindow(
  (app) => addPack(app.home),
  async (page) => {
    await write(page)
    await measure(page, "writing", 2)
    await page.keyboard.press("Escape")
  },
)
await inWindow(
  (app) => {
    addPack(app.home)
    fill(app.home, 10_000)
  },
  async (page) => {
    await page.locator(".items .row").first().waitFor()
    const { timeOrigin } = await page.evaluate(() => performance)
    console.log(`10,000 items: shown ${((Date.now() - timeOrigin) / 1000).toFixed(1)} s after the page began to load`)
    await write(page)
    await measure(page, "writing, 10,000 items", 2)
    await page.keyboard.press("Escape")
  },
)
await inWindow(
  () => {},
  async (page) => {
    await page.waitForTimeout(3000) // models load with the app
    const clicked = Date.now()
    await page.getByRole("button", { name: /^Sound: / }).click()
    await page.getByRole("button", { name: "Play", exact: true }).click()
    await page.waitForFunction(() => /0\.[1-9] s of/.test(document.querySelector(".sound .count")?.textContent ?? ""))
    console.log(`a tune: heard ${((Date.now() - clicked) / 1000).toFixed(1)} s after the click`)
    await page.locator(".actionbar .primary").waitFor({ timeout: 300_000 })
    const gaps = await page.locator("[data-gaps]").getAttribute("data-gaps")
    console.log(`a tune: ${gaps} gaps to its end`)
    const pause = page.getByRole("button", { name: "Pause", exact: true })
    if (await pause.isVisible()) await pause.click()
    await page.getByRole("button", { name: "Repeat" }).click()
    await page.getByRole("button", { name: "Play", exact: true }).click()
    await measure(page, "playing a sound", 2)
  },
)
await browser.close()
