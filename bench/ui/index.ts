import { existsSync } from "node:fs"
import { chromium } from "@playwright/test"
import { z } from "zod"
import { App } from "../../test/e2e/app.ts"
import { chooseModel, setUp } from "../../test/e2e/steps.ts"

/**
 * `npm run bench:ui`: how smooth the window stays while the fastest pack there is (tiny random weights) writes, and
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

const seconds = Number(process.argv[2] ?? 20)
const executablePath =
  process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((p) => existsSync(p))
const browser = await chromium.launch({
  ...(executablePath ? { executablePath } : {}),
  args: ["--no-sandbox", "--disable-background-networking", "--disable-sync", "--enable-precise-memory-info"],
})
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
await page.addInitScript("globalThis.__name = (f) => f") // tsx names functions with a helper that the page lacks
const app = new App(page)
app.addRandomPack()
await app.open()
await chooseModel(page, "Random weights, modern")
await setUp(page, { length: 1_000_000 })
await page.getByRole("textbox", { name: "Prompt" }).fill("x")
await page.keyboard.press("Control+Enter")
await page.waitForFunction(() => document.querySelector(".progress .count")?.textContent?.includes("left"))

for (let part = 0; part < 4; part++) {
  await browser.startTracing(page, { categories: ["disabled-by-default-devtools.timeline.frame"] })
  await page.waitForTimeout((seconds * 1000) / 4)
  const frames = framesOf(await browser.stopTracing())
  const { nodes, heap, bytes } = await page.evaluate(() => ({
    nodes: document.querySelectorAll("*").length,
    heap: (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize / 2 ** 20,
    bytes: document.querySelector(".progress .count")?.textContent ?? "finished",
  }))
  console.log(
    `${frames.perSecond.toFixed(0)} frames/s, longest frame ${frames.longest.toFixed(0)} ms, ${frames.dropped} dropped, ` +
      `${nodes} DOM nodes, heap ${heap.toFixed(0)} MB: ${bytes}`,
  )
}
await page.keyboard.press("Escape")
await browser.close()
await app.remove()
