import { EventEmitter } from "node:events"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MessageChannel } from "node:worker_threads"
import type * as Electron from "electron"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { origin, start } from "./shell.ts"

/** The few calls of Electron that the shell makes, on Node alone. */
class StandIn {
  windows: {
    options: Electron.BrowserWindowConstructorOptions
    url: string
    contents: EventEmitter
    opens: unknown
  }[] = []
  handler: (request: Request) => Response = () => new Response()
  allowed: string[] = []
  ipcMain = new EventEmitter()
  app = Object.assign(new EventEmitter(), { whenReady: () => Promise.resolve(), quit: () => {} })

  get electron(): typeof Electron {
    const self = this
    class BrowserWindow {
      static getAllWindows = () => self.windows
      webContents = Object.assign(new EventEmitter(), {
        setWindowOpenHandler: (handler: () => unknown) => {
          this.entry.opens = handler()
        },
      })
      private entry = { options: {}, url: "", contents: this.webContents, opens: undefined as unknown }
      constructor(options: Electron.BrowserWindowConstructorOptions) {
        this.entry.options = options
        self.windows.push(this.entry)
      }
      loadURL = (url: string) => {
        this.entry.url = url
        return Promise.resolve()
      }
    }
    class MessageChannelMain {
      port1: unknown
      port2: unknown
      constructor() {
        const { port1, port2 } = new MessageChannel()
        const main = Object.assign(new EventEmitter(), {
          postMessage: (m: unknown) => port1.postMessage(m),
          start: () => port1.start(),
        })
        port1.on("message", (data) => main.emit("message", { data }))
        port1.on("close", () => main.emit("close"))
        this.port1 = main
        this.port2 = port2
      }
    }
    const permissions = ["camera", "geolocation", "notifications", "clipboard-sanitized-write"]
    return {
      app: this.app,
      ipcMain: this.ipcMain,
      BrowserWindow,
      MessageChannelMain,
      protocol: {
        registerSchemesAsPrivileged: () => {},
        handle: (_: string, handler: (request: Request) => Response) => {
          self.handler = handler
        },
      },
      session: {
        defaultSession: {
          setPermissionRequestHandler: (ask: (w: null, permission: string, answer: (yes: boolean) => void) => void) => {
            for (const p of permissions) ask(null, p, (yes) => yes && self.allowed.push(p))
          },
        },
      },
      utilityProcess: {
        fork: () => {
          throw new Error("no engine in this test")
        },
      },
    } as unknown as typeof Electron
  }
}

let work: string
let standIn: StandIn
beforeEach(async () => {
  work = mkdtempSync(join(tmpdir(), "megabyte-electron-"))
  mkdirSync(join(work, "renderer"))
  writeFileSync(join(work, "renderer/index.html"), "<p>app</p>")
  writeFileSync(join(work, "secret.txt"), "no")
  standIn = new StandIn()
  const places = { shipped: join(work, "none"), home: join(work, "home"), cache: join(work, "cache") }
  await start(standIn.electron, places, { renderer: join(work, "renderer"), preload: "/p.cjs", engine: "/e.js" })
})
afterEach(() => rmSync(work, { recursive: true, force: true }))

describe("the desktop shell", () => {
  it("opens one window, isolated and sandboxed, on its own page", () => {
    expect(standIn.windows).toHaveLength(1)
    expect(standIn.windows[0]?.options.webPreferences).toEqual({
      preload: "/p.cjs",
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
    })
    expect(standIn.windows[0]?.url).toBe("app://studio/index.html")
  })
  it("refuses navigation, new windows and every permission but writing the clipboard", () => {
    let prevented = false
    standIn.windows[0]?.contents.emit("will-navigate", { preventDefault: () => (prevented = true) })
    expect(prevented).toBe(true)
    expect(standIn.windows[0]?.opens).toEqual({ action: "deny" })
    expect(standIn.allowed).toEqual(["clipboard-sanitized-write"])
  })
  it("serves its own files with a strict policy and nothing beside them", () => {
    const get = (path: string) => standIn.handler(new Request(`${origin}${path}`))
    expect(get("/index.html").status).toBe(200)
    expect(get("/index.html").headers.get("Content-Security-Policy")).toMatch(/default-src 'none'/)
    for (const path of ["/secret.txt", "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/"])
      expect(get(path).status).toBe(404)
  })
  it("gives its page a port that speaks the contract, and no other page any", async () => {
    const sent: { port: import("node:worker_threads").MessagePort }[] = []
    const frame = (url: string) => ({
      senderFrame: {
        url,
        postMessage: (_: string, __: null, [port]: [import("node:worker_threads").MessagePort]) => sent.push({ port }),
      },
    })
    standIn.ipcMain.emit("connect", frame("https://evil.example/"))
    expect(sent).toHaveLength(0)
    standIn.ipcMain.emit("connect", frame("app://studio/index.html"))
    const port = sent[0]?.port
    if (!port) throw new Error("no port")
    const heard: { type: string }[] = []
    await new Promise<void>((resolve) => {
      port.on("message", (m) => {
        heard.push(m)
        if (heard.length === 1) port.postMessage({ type: "nonsense" })
        else resolve()
      })
    })
    port.close()
    expect(heard.map((e) => e.type)).toEqual(["state", "notice"])
  })
})
