import { EventEmitter } from "node:events"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MessageChannel } from "node:worker_threads"
import type * as Electron from "electron"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { forkMedia } from "../host/media/client.ts"
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
  /** How the page asks for the microphone or the camera, and whether it may use it. */
  ask: Electron.Session["setPermissionRequestHandler"] extends (handler: infer H) => void ? NonNullable<H> : never =
    () => {}
  mayHear = (_origin: string, _mediaType: string) => false
  /** What a person answers in a dialog: the button's number; undefined: none, the dialog fails. */
  clicks: (number | undefined)[] = []
  questions: Electron.MessageBoxOptions[] = []
  /** What was said in a dialog before the app ended. */
  said = ""
  /** Addresses that a page asked for and got. */
  fetched: string[] = []
  ipcMain = new EventEmitter()
  /** Whether this is the only one that runs. */
  alone = true
  ended = false
  app = Object.assign(new EventEmitter(), {
    whenReady: () => Promise.resolve(),
    requestSingleInstanceLock: () => this.alone,
    enableSandbox: () => {},
    isPackaged: true,
    quit: () => {
      this.ended = true
    },
  })

  get electron(): typeof Electron {
    const self = this
    class BrowserWindow {
      static getAllWindows = () => self.windows
      static fromWebContents = () => null
      webContents = Object.assign(new EventEmitter(), {
        id: self.windows.length + 1,
        setWindowOpenHandler: (handler: () => unknown) => {
          this.entry.opens = handler()
        },
      })
      private entry = { options: {}, url: "", contents: this.webContents, opens: undefined as unknown }
      constructor(options: Electron.BrowserWindowConstructorOptions) {
        this.entry.options = options
        self.windows.push(this.entry)
        self.app.emit("web-contents-created", {}, this.webContents)
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
    const addresses = ["app://studio/index.html", "blob:app://studio/1", "https://evil.example/", "file:///etc/passwd"]
    const dialog = {
      showErrorBox: (_: string, text: string) => {
        self.said = text
      },
      showMessageBox: (options: Electron.MessageBoxOptions) => {
        self.questions.push(options)
        const response = self.clicks.shift()
        return response === undefined ? Promise.reject(new Error("gone")) : Promise.resolve({ response })
      },
    }
    return {
      app: this.app,
      ipcMain: this.ipcMain,
      dialog,
      BrowserWindow,
      Menu: { setApplicationMenu: () => {} },
      MessageChannelMain,
      protocol: {
        registerSchemesAsPrivileged: () => {},
        handle: (_: string, handler: (request: Request) => Response) => {
          self.handler = handler
        },
      },
      session: {
        defaultSession: {
          setPermissionRequestHandler: (
            ask: (w: null, permission: string, answer: (yes: boolean) => void, details: object) => void,
          ) => {
            self.ask = ask as unknown as typeof self.ask
            for (const p of permissions) ask(null, p, (yes) => yes && self.allowed.push(p), {})
          },
          setPermissionCheckHandler: (
            check: (w: null, permission: string, origin: string, details: { mediaType?: string }) => boolean,
          ) => {
            self.mayHear = (origin, mediaType) => check(null, "media", origin, { mediaType })
            for (const p of permissions) if (check(null, p, origin, {})) self.allowed.push(p)
          },
          setDevicePermissionHandler: (check: () => boolean) => {
            if (check()) self.allowed.push("device")
          },
          webRequest: {
            onBeforeRequest: (ask: (d: { url: string }, answer: (a: { cancel: boolean }) => void) => void) => {
              for (const url of addresses) ask({ url }, ({ cancel }) => cancel || self.fetched.push(url))
            },
          },
        },
      },
      utilityProcess: {
        // The process that reads files alone; no engine runs in this test.
        fork: () => {
          const port = forkMedia()
          const on = (event: "message" | "exit", listener: (value: unknown) => void) =>
            event === "exit" ? port.onExit(listener) : port.onMessage(listener)
          return { on, postMessage: port.send, kill: port.kill }
        },
      },
    } as unknown as typeof Electron
  }
}

let work: string
let standIn: StandIn
const run = (argv: string[] = ["megabyte"]) => {
  const places = { shipped: join(work, "none"), home: join(work, "home"), cache: join(work, "cache") }
  const built = { renderer: join(work, "renderer"), preload: "/p.cjs", engine: "/e.js", media: "/m.js" }
  return start(standIn.electron, places, built, argv)
}
type Port = import("node:worker_threads").MessagePort
/** Window `id` asks for its port from a page at `url`: the port that it gets, if any. */
const connect = (url: string, id = 1, inFrame = false): Port | undefined => {
  let found: Port | undefined
  const postMessage = (_: string, __: null, [port]: [Port]) => {
    found = port
  }
  const senderFrame = { url, postMessage }
  standIn.ipcMain.emit("connect", { senderFrame, sender: { id, mainFrame: inFrame ? {} : senderFrame } })
  return found
}
/** What the first `count` messages of a port tell. */
const heard = (port: Port | undefined, count: number, onFirst = () => {}) =>
  new Promise<{ type?: string; text?: string; code?: string }[]>((resolve) => {
    const messages: { type?: string; text?: string; code?: string }[] = []
    port?.on("message", ({ value, failure }) => {
      messages.push(value ?? failure)
      if (messages.length === 1) onFirst()
      if (messages.length < count) return
      port.close()
      resolve(messages)
    })
  })
beforeEach(async () => {
  work = mkdtempSync(join(tmpdir(), "megabyte-electron-"))
  mkdirSync(join(work, "renderer"))
  writeFileSync(join(work, "renderer/index.html"), "<p>app</p>")
  writeFileSync(join(work, "secret.txt"), "no")
  standIn = new StandIn()
  await run()
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
      devTools: false,
      spellcheck: false,
    })
    expect(standIn.windows[0]?.url).toBe("app://studio/index.html")
  })
  it("refuses navigation, new windows and every permission but writing the clipboard", () => {
    for (const event of ["will-navigate", "will-frame-navigate", "will-redirect", "will-attach-webview"]) {
      let prevented = false
      standIn.windows[0]?.contents.emit(event, { preventDefault: () => (prevented = true) })
      expect(`${event} ${prevented}`).toBe(`${event} true`)
    }
    expect(standIn.windows[0]?.opens).toEqual({ action: "deny" })
    // Once when it asks, once when it looks.
    expect(standIn.allowed).toEqual(["clipboard-sanitized-write", "clipboard-sanitized-write"])
  })
  describe("the microphone", () => {
    const page = `${origin}/index.html`
    const asks = (mediaTypes: string[], requestingUrl = page, isMainFrame = true) =>
      new Promise<boolean>((resolve) => {
        const details = { mediaTypes, requestingUrl, isMainFrame } as Electron.MediaAccessPermissionRequest
        standIn.ask({} as Electron.WebContents, "media", resolve, details)
      })
    it("is refused unless a person says yes: by the button, by Esc, and where nobody can be asked", async () => {
      standIn.clicks = [0, undefined]
      expect([await asks(["audio"]), await asks(["audio"])]).toEqual([false, false])
      expect(standIn.questions).toHaveLength(2)
      const { buttons, defaultId = 0, cancelId = 0 } = standIn.questions[0] ?? {}
      expect([buttons?.[defaultId], buttons?.[cancelId]]).toEqual(["Don't allow", "Don't allow"])
      expect(standIn.mayHear(page, "audio")).toBe(false)
    })
    it("is the app's once a person has said yes, until it ends; the camera never is", async () => {
      standIn.clicks = [1]
      expect([await asks(["audio"]), await asks(["audio"])]).toEqual([true, true])
      expect(standIn.questions).toHaveLength(1)
      expect([standIn.mayHear(page, "audio"), standIn.mayHear(page, "video")]).toEqual([true, false])
      expect(standIn.mayHear("https://evil.example/", "audio")).toBe(false)
      for (const media of [["video"], ["audio", "video"], []]) expect(await asks(media)).toBe(false)
    })
    it("is for the app's own page alone, and nobody is asked for another", async () => {
      standIn.clicks = [1, 1]
      expect(await asks(["audio"], "https://evil.example/")).toBe(false)
      expect(await asks(["audio"], page, false)).toBe(false)
      expect(standIn.questions).toEqual([])
    })
  })
  it("lets a page fetch the app's own files alone", () => {
    expect(standIn.fetched).toEqual(["app://studio/index.html", "blob:app://studio/1"])
  })
  it("says in one line that its folder cannot be written, and ends", async () => {
    standIn = new StandIn()
    writeFileSync(join(work, "file"), "")
    const built = { renderer: work, preload: "/p.cjs", engine: "/e.js", media: "/m.js" }
    await start(standIn.electron, { shipped: work, home: join(work, "file"), cache: work }, built, ["megabyte"])
    expect(standIn.said).toMatch(/^.*file cannot be written: .*MEGABYTE_HOME.*$/)
    expect([standIn.ended, standIn.windows.length]).toEqual([true, 0])
  })
  it("serves its own files with a strict policy and nothing beside them", () => {
    const get = (path: string) => standIn.handler(new Request(`${origin}${path}`))
    expect(get("/index.html").status).toBe(200)
    expect(get("/index.html").headers.get("Content-Security-Policy")).toMatch(/default-src 'none'/)
    for (const path of ["/secret.txt", "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/"])
      expect(get(path).status).toBe(404)
  })
  it("gives its page a port that speaks the contract, and no other page any", async () => {
    for (const url of ["https://evil.example/", "app://evil/index.html", "about:blank", ""])
      expect(connect(url)).toBeUndefined()
    expect(connect("app://studio/index.html", 1, true)).toBeUndefined()
    const port = connect("app://studio/index.html")
    const messages = await heard(port, 2, () => port?.postMessage({ type: "call", id: 1, method: "nonsense" }))
    expect(messages).toMatchObject([{ type: "state" }, { code: "invalid" }])
  })
  it("gives a file that it is opened with to a window of its own, and ends where it runs already", async () => {
    writeFileSync(join(work, "tale.txt"), "Once")
    const files = [join(work, "tale.txt"), join(work, "none.txt")]
    standIn.app.emit("second-instance", {}, ["megabyte", "--flag", ...files], work)
    standIn.app.emit("open-file", { preventDefault: () => {} }, files[1])
    expect(standIn.windows).toHaveLength(3)
    const [, said] = await heard(connect("app://studio/index.html", 2), 2)
    // It was taken for what it is; in this test there is nothing to go on from it.
    expect(said?.text).toBe("There is no pack for text; import one first.")
    const [, missing] = await heard(connect("app://studio/index.html", 3), 2)
    expect(missing?.text).toBe("none.txt cannot be read.")

    standIn = new StandIn()
    standIn.alone = false
    expect(await run(["megabyte", ...files])).toBeUndefined()
    expect([standIn.ended, standIn.windows.length]).toEqual([true, 0])
  })
})
