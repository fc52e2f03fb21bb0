import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import type { Server } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test as base, expect, type Page } from "@playwright/test"
import { type EnginePort, forkEngine } from "../../main/engine/client.ts"
import { Studio } from "../../main/studio.ts"
import { serve } from "../../main/web/server.ts"

const root = join(import.meta.dirname, "../..")

/** The real app behind the web host, with a library of its own. */
export class App {
  readonly home = mkdtempSync(join(tmpdir(), "megabyte-e2e-"))
  private server: Server | undefined
  private studio: Studio | undefined
  private engine: EnginePort | undefined

  /** Starts the host (again) and opens its page. */
  async open(page: Page): Promise<void> {
    const places = {
      shipped: join(root, "native-models"),
      home: this.home,
      cache: join(tmpdir(), "megabyte-e2e-cache"),
    }
    this.studio = new Studio(places, (cache, quiet) => {
      const engine = forkEngine(cache, quiet)
      // A quiet one only tries a device.
      if (!quiet) this.engine = engine
      return engine
    })
    const served = await serve(this.studio, join(root, "dist/renderer"))
    this.server = served.server
    await page.goto(served.address)
    await expect(page.getByRole("textbox", { name: "Prompt" })).toBeVisible()
  }

  /** As a driver's fault would end it. */
  killEngine(): void {
    this.engine?.kill()
  }

  close(): void {
    this.server?.closeAllConnections()
    this.server?.close()
    this.studio?.close()
  }

  remove(): void {
    this.close()
    rmSync(this.home, { recursive: true, force: true })
  }

  /** A sound pack of random weights beside the shipped ones, for what does not depend on quality. */
  addRandomSoundPack(): void {
    const from = join(root, "test/parity/modern")
    const to = join(this.home, "packs/noise")
    cpSync(from, to, { recursive: true })
    const json = JSON.parse(readFileSync(join(from, "pack.json"), "utf8"))
    const media = { rate: 8000, encoding: "mu-law", header: 8, styles: ["any", "organ"] }
    writeFileSync(
      join(to, "pack.json"),
      JSON.stringify({ ...json, name: "noise", title: "Noise", modality: "audio", media }),
    )
  }

  /** A pack of random weights beside the shipped ones. */
  addRandomPack(): void {
    cpSync(join(root, "test/parity/modern"), join(this.home, "packs/parity-modern"), { recursive: true })
  }
}

export const test = base.extend<{ app: App }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern here
  app: async ({}, use) => {
    const app = new App()
    await use(app)
    app.remove()
  },
})
export { expect }

/** Every problem that the page itself reports. */
export function watchErrors(page: Page): string[] {
  const errors: string[] = []
  page.on("pageerror", (e) => errors.push(e.message))
  page.on("console", (m) => m.type() === "error" && errors.push(m.text()))
  return errors
}

/** Lets files fall onto the window. */
export async function dropFiles(page: Page, files: { name: string; bytes: Buffer }[]): Promise<void> {
  const data = await page.evaluateHandle(
    (all) => {
      const transfer = new DataTransfer()
      for (const [name = "", base64 = ""] of all) {
        const content = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
        transfer.items.add(new File([content], name))
      }
      return transfer
    },
    files.map((f) => [f.name, f.bytes.toString("base64")]),
  )
  await page.dispatchEvent(".app", "drop", { dataTransfer: data })
}
