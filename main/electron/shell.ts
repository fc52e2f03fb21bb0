import { existsSync, readFileSync } from "node:fs"
import { extname, join, normalize } from "node:path"
import type * as Electron from "electron"
import type { StartEngine } from "../engine/client.ts"
import type { Places } from "../packs/find.ts"
import { Studio } from "../studio.ts"
import { contentSecurityPolicy, contentTypes } from "../web/page.ts"

/** The page's own origin; nothing else is ever loaded. */
export const origin = "app://studio"
/** Node's URL says "null" for the origin of a scheme it does not know. */
const isOwn = (url: URL) => url.protocol === "app:" && url.host === "studio"

/** Files that the build put beside the main bundle. */
export type Built = { renderer: string; preload: string; engine: string }

/**
 * The desktop shell: life cycle, windows, the app:// protocol, and a direct port between each window and the studio.
 * Electron comes in as an argument, so that a test can run this code on a stand-in where its binary is missing.
 */
export async function start(electron: typeof Electron, places: Places, built: Built): Promise<Studio> {
  const { app, protocol, session, ipcMain, BrowserWindow, MessageChannelMain, utilityProcess } = electron
  protocol.registerSchemesAsPrivileged([{ scheme: "app", privileges: { standard: true, secure: true } }])
  await app.whenReady()
  protocol.handle("app", (request) => page(request.url, built.renderer))
  // Electron grants every permission unless told otherwise; the app needs to write the clipboard, no more.
  session.defaultSession.setPermissionRequestHandler((_, permission, answer) =>
    answer(permission === "clipboard-sanitized-write"),
  )

  const studio = new Studio(places, utilityEngine(utilityProcess, built.engine))
  ipcMain.on("connect", (event) => {
    if (!event.senderFrame || !isOwn(new URL(event.senderFrame.url))) return
    const { port1, port2 } = new MessageChannelMain()
    const disconnect = studio.connect((message) => port1.postMessage(message))
    port1.on("message", ({ data }) => void studio.receive(data, (message) => port1.postMessage(message)))
    port1.on("close", disconnect)
    port1.start()
    event.senderFrame.postMessage("port", null, [port2])
  })

  const open = () => {
    const window = new BrowserWindow({
      width: 1440,
      height: 900,
      minWidth: 900,
      minHeight: 600,
      title: "Megabyte Studio",
      webPreferences: { preload: built.preload, contextIsolation: true, sandbox: true, nodeIntegration: false },
    })
    window.webContents.setWindowOpenHandler(() => ({ action: "deny" }))
    window.webContents.on("will-navigate", (event) => event.preventDefault())
    void window.loadURL(`${origin}/index.html`)
  }
  open()
  app.on("activate", () => BrowserWindow.getAllWindows().length === 0 && open())
  app.on("window-all-closed", () => process.platform !== "darwin" && app.quit())
  app.on("before-quit", () => studio.close())
  return studio
}

/** A file of the built renderer, by its app:// address. */
function page(address: string, root: string): Response {
  const url = new URL(address)
  const path = normalize(join(root, decodeURIComponent(url.pathname)))
  if (!isOwn(url) || !path.startsWith(normalize(`${root}/`)) || !extname(path) || !existsSync(path))
    return new Response("Not found.", { status: 404 })
  const type = contentTypes[extname(path)] ?? "application/octet-stream"
  const headers = { "Content-Type": type, "Content-Security-Policy": contentSecurityPolicy }
  return new Response(new Uint8Array(readFileSync(path)), { headers })
}

/** The engine as a utility process of Electron. */
function utilityEngine(utilityProcess: typeof Electron.utilityProcess, entry: string): StartEngine {
  return (cache, quiet = false) => {
    const child = utilityProcess.fork(entry, [], {
      serviceName: "Megabyte engine",
      env: { ...process.env, MEGABYTE_CACHE: cache },
      stdio: quiet ? "ignore" : "inherit",
    })
    return {
      send: (request) => child.postMessage(request),
      onMessage: (listener) => void child.on("message", listener),
      onExit: (listener) => void child.on("exit", (code) => listener(code, null)),
      kill: () => void child.kill(),
    }
  }
}
