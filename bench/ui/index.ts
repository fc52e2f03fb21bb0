import { existsSync } from "node:fs"
import { chromium } from "@playwright/test"
import { App } from "../../test/e2e/app.ts"

/**
 * `npm run bench:ui`: how smooth the window stays while the fastest pack there is (tiny random weights) writes, and
 * what a long text costs in DOM nodes and memory. Frames are the page's own, counted by requestAnimationFrame.
 */
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
await page.getByRole("combobox", { name: "Model" }).selectOption("parity-modern")
await page.getByRole("textbox", { name: "Length" }).fill("1000000")
await page.getByRole("textbox", { name: "Prompt" }).fill("x")
await page.keyboard.press("Control+Enter")
await page.waitForFunction(() => document.querySelector(".progress .count")?.textContent?.includes("B/s"))

for (let part = 0; part < 4; part++) {
  const r = await page.evaluate(
    (ms) =>
      new Promise<{ fps: number; worst: number; nodes: number; heap: number; bytes: string }>((resolve) => {
        const began = performance.now()
        let last = began
        let frames = 0
        let worst = 0
        const frame = (now: number) => {
          frames++
          worst = Math.max(worst, now - last)
          last = now
          if (now - began < ms) return void requestAnimationFrame(frame)
          const heap =
            (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize / 2 ** 20
          const bytes = document.querySelector(".progress .count")?.textContent ?? "finished"
          resolve({
            fps: frames / ((now - began) / 1000),
            worst,
            nodes: document.querySelectorAll("*").length,
            heap,
            bytes,
          })
        }
        requestAnimationFrame(frame)
      }),
    (seconds * 1000) / 4,
  )
  console.log(
    `${r.fps.toFixed(0)} frames/s, longest frame ${r.worst.toFixed(0)} ms, ${r.nodes} DOM nodes, heap ${r.heap.toFixed(0)} MB: ${r.bytes}`,
  )
}
await page.keyboard.press("Escape")
await browser.close()
await app.remove()
