import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import type { Server } from "node:http"
import type { Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test as base, type ElectronApplication, _electron as electron, expect, type Page } from "@playwright/test"
import { electronBinary } from "../../main/electron/binary.ts"
import { forkEngine } from "../../main/host/engine/client.ts"
import { Studio } from "../../main/host/studio.ts"
import type { ChildPort } from "../../main/process/child.ts"
import { serve } from "../../main/web/server.ts"
import { browser, NO_BROWSER } from "../support/browser.ts"

const root = join(import.meta.dirname, "../..")
const cache = join(tmpdir(), "megabyte-e2e-cache")

/** Where the app runs: behind the web host in Chromium, or in Electron, which is its own browser. */
interface Host {
  open(): Promise<Page>
  /** A second window on the same app. */
  another(): Promise<Page>
  /** Cuts the windows off from the app, as sleep does; they come back by themselves. */
  cutOff(): void
  killEngine(): Promise<void>
  close(): Promise<void>
}

class Web implements Host {
  private server: Server | undefined
  private studio: Studio | undefined
  private engine: ChildPort | undefined
  private address = ""
  private readonly sockets = new Set<Socket>()

  constructor(
    private readonly home: string,
    private readonly page: Page,
  ) {}

  async open(): Promise<Page> {
    const places = { shipped: join(root, "native-models"), home: this.home, cache }
    this.studio = new Studio(places, (cache, quiet) => {
      const engine = forkEngine(cache, quiet)
      // A quiet one only tries a device.
      if (!quiet) this.engine = engine
      return engine
    })
    const served = await serve(this.studio, join(root, "dist/renderer"))
    this.server = served.server
    this.server.on("connection", (socket) => this.sockets.add(socket))
    this.address = served.address
    await this.page.goto(this.address)
    return this.page
  }

  async another(): Promise<Page> {
    const page = await this.page.context().newPage()
    await page.goto(new URL("/", this.address).href)
    return page
  }

  cutOff(): void {
    for (const socket of this.sockets) socket.destroy()
    this.sockets.clear()
  }

  async killEngine(): Promise<void> {
    this.engine?.kill()
  }

  async close(): Promise<void> {
    this.server?.closeAllConnections()
    this.server?.close()
    this.studio?.close()
  }
}

class Electron implements Host {
  private app: ElectronApplication | undefined

  constructor(
    private readonly home: string,
    private readonly watch: (page: Page) => void,
  ) {}

  async open(): Promise<Page> {
    const executablePath = electronBinary()
    if (!executablePath) throw new Error("Electron's binary is not here; `npx install-electron` fetches it.")
    // As root, in a container, Chromium's own sandbox does not start.
    const args = [root, ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])]
    const env = { ...process.env, MEGABYTE_HOME: this.home, MEGABYTE_CACHE: cache } as Record<string, string>
    this.app = await electron.launch({ executablePath, args, env, acceptDownloads: true })
    const page = await this.app.firstWindow()
    this.watch(page)
    return page
  }

  async another(): Promise<Page> {
    const opened = this.app?.waitForEvent("window")
    // As when the app is started a second time.
    await this.app?.evaluate(({ app }) => app.emit("second-instance", {}, [], "/"))
    if (!opened) throw new Error("The app is not open.")
    return opened
  }

  /** There is no connection here that sleep could cut. */
  cutOff(): void {}

  async killEngine(): Promise<void> {
    const pid = await this.app?.evaluate(
      ({ app }) => app.getAppMetrics().find((p) => p.name === "Megabyte engine")?.pid,
    )
    if (!pid) throw new Error("There is no engine to end.")
    process.kill(pid, "SIGKILL")
  }

  async close(): Promise<void> {
    await this.app?.close()
    this.app = undefined
  }
}

/** The real app in its host, with a library of its own. */
export class App {
  readonly home = mkdtempSync(join(tmpdir(), "megabyte-e2e-"))
  /** Every problem that a page itself reports. */
  readonly errors: string[] = []
  private readonly host: Host

  /** @param page of a browser, where the app is to run behind the web host; without one it runs in Electron */
  constructor(page?: Page) {
    const watch = (opened: Page) => {
      opened.on("pageerror", (e) => this.errors.push(e.message))
      opened.on("console", (m) => m.type() === "error" && this.errors.push(m.text()))
    }
    this.host = page ? new Web(this.home, page) : new Electron(this.home, watch)
    if (page) watch(page)
  }

  /** Starts the app (again) and shows its page. */
  async open(): Promise<Page> {
    const page = await this.host.open()
    await expect(page.getByRole("textbox", { name: "Prompt" })).toBeVisible()
    return page
  }

  async another(): Promise<Page> {
    const page = await this.host.another()
    await expect(page.getByRole("navigation", { name: "Library" })).toBeVisible()
    return page
  }

  cutOff(): void {
    this.host.cutOff()
  }

  /** Whether the app shows in a browser: what is the browser's is tried there alone. */
  get isWeb(): boolean {
    return this.host instanceof Web
  }

  /** As a driver's fault would end it. */
  killEngine(): Promise<void> {
    return this.host.killEngine()
  }

  close(): Promise<void> {
    return this.host.close()
  }

  async remove(): Promise<void> {
    await this.close()
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
  addRandomPack(name: "modern" | "story" | "picture" = "modern"): void {
    cpSync(join(root, "test/parity", name), join(this.home, `packs/parity-${name}`), { recursive: true })
  }

  /** A pack of random weights for texts, which new works begin with: it is there at once. */
  beginWithRandomPack(): void {
    this.addRandomPack("story")
    writeFileSync(join(this.home, "preferences.json"), JSON.stringify({ pack: "parity-story" }))
  }

  /** A library of so many texts, each with a word of its own, and as many pictures. */
  addItems(count: number): void {
    const sampling = { temperature: 1, topP: 1, topK: 0, minP: 0 }
    const settings = { length: 60, seed: 1, variations: 1, sampling, style: 0 }
    const common = { variation: 0, given: 0, bitsPerByte: 1, favourite: false, status: "done" }
    const add = (id: string, files: Record<string, string | Uint8Array>, item: object) => {
      const folder = join(this.home, "library", id)
      mkdirSync(folder, { recursive: true })
      for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes)
      writeFileSync(join(folder, "item.json"), JSON.stringify({ id, ...common, ...item }))
    }
    for (let i = 0; i < count; i++) {
      const text = `The tale of word${i}x, told once more by the sea.`
      add(
        `t-${i}`,
        { "output.txt": text },
        {
          ...{ title: `Tale ${i}`, created: 1e12 + i, modality: "text", file: "output.txt", bytes: text.length },
          settings: { ...settings, pack: "parity-story" },
        },
      )
      add(
        `p-${i}`,
        { "picture.png": new Uint8Array(), "picture.rgb": new Uint8Array(180).fill(i) },
        {
          ...{ title: `Drawing ${i}`, created: 1e12 - i, modality: "image", file: "picture.png", raw: "picture.rgb" },
          ...{ bytes: 180, favourite: i === 3 },
          settings: { ...settings, pack: "parity-picture" },
        },
      )
    }
  }
}

export const test = base.extend<{ app: App; host: "web" | "electron"; needsBrowser: undefined }>({
  host: ["web", { option: true }],
  needsBrowser: [
    async ({ host }, use, info) => {
      info.skip(host === "web" && !browser(), NO_BROWSER)
      await use(undefined)
    },
    { auto: true },
  ],
  app: async ({ host, page }, use) => {
    const app = new App(host === "web" ? page : undefined)
    await use(app)
    await app.remove()
  },
})
export { expect }

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
