import { existsSync, readFileSync, statSync } from "node:fs"
import { extname, join, normalize, resolve } from "node:path"
import "../files/no-telemetry.ts"
import type * as Electron from "electron"
import type { StartEngine } from "../host/engine/client.ts"
import { sentenceOf } from "../host/errors.ts"
import { checkWritable } from "../host/folders.ts"
import type { StartMedia } from "../host/media/client.ts"
import type { AppPaths } from "../host/packs/find.ts"
import { contentTypes, securityHeaders } from "../host/page.ts"
import { Studio } from "../host/studio.ts"
import type { ChildPort } from "../process/child.ts"

/** The page's own origin; nothing else is ever loaded. */
export const origin = "app://studio"
/** Node's URL says "null" for the origin of a scheme it does not know. */
function isOwn(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, host } = new URL(address)
  return protocol === "app:" && host === "studio"
}

/** Files that the build put beside the main bundle. */
export type Built = { renderer: string; preload: string; engine: string; media: string }

/**
 * The desktop shell: life cycle, windows, the app:// protocol, and a direct port between each window and the studio.
 * Electron comes in as an argument, so that a test can run this code on a stand-in where its binary is missing.
 *
 * A file that the app is opened with gets a window of its own, so that no draft gives way to it.
 * @param argv the command line
 * @returns nothing where the app runs already: that one is told what to open, and this one ends
 */
export async function start(
  electron: typeof Electron,
  places: AppPaths,
  built: Built,
  argv: string[],
): Promise<Studio | undefined> {
  const { app, protocol, session, BrowserWindow, Menu, utilityProcess } = electron
  // Two of them would write to one library.
  if (!app.requestSingleInstanceLock()) {
    app.quit()
    return undefined
  }
  const files = filesOf(argv, process.cwd())
  let open = (file?: string): void => {
    if (file) files.push(file)
  }
  // macOS names the files so, the first before the app is ready.
  app.on("open-file", (event, file) => {
    event.preventDefault()
    open(file)
  })
  protocol.registerSchemesAsPrivileged([{ scheme: "app", privileges: { standard: true, secure: true } }])
  app.enableSandbox()
  app.on("web-contents-created", (_, contents) => confine(contents))
  await app.whenReady()
  let studio: Studio
  try {
    checkWritable(places.home, "MEGABYTE_HOME")
    checkWritable(places.cache, "MEGABYTE_CACHE")
    const startMedia = utilityMedia(utilityProcess, built.media)
    studio = new Studio(places, utilityEngine(utilityProcess, built.engine), startMedia)
  } catch (error) {
    // No folder that can be written to, or the library is open in a browser.
    electron.dialog.showErrorBox("Megabyte Studio cannot start", sentenceOf(error))
    app.quit()
    return undefined
  }
  protocol.handle("app", (request) => page(request.url, built.renderer))
  restrict(session.defaultSession, (contents) => askForMicrophone(electron, contents))
  // The usual menu reloads the page and opens developer tools; on a Mac it also has copy and paste.
  if (app.isPackaged && process.platform !== "darwin") Menu.setApplicationMenu(null)

  const given = new Map<number, string>()
  studio.catchEverything()
  connectPages(electron, studio, given)
  open = (file) => {
    const window = new BrowserWindow(windowOptions(built.preload, !app.isPackaged))
    if (file) given.set(window.webContents.id, file)
    void window.loadURL(`${origin}/index.html`)
  }
  if (files.length) for (const file of files) open(file)
  else open()
  app.on("second-instance", (_, line, folder) => {
    const more = filesOf(line, folder)
    if (more.length) for (const file of more) open(file)
    else open()
  })
  app.on("activate", () => BrowserWindow.getAllWindows().length === 0 && open())
  app.on("window-all-closed", () => process.platform !== "darwin" && app.quit())
  app.on("before-quit", () => studio.close())
  return studio
}

/**
 * Gives each of the app's own pages a port to the studio when it asks for it.
 * @param given files that windows are to be given then, by the number of what shows them
 */
function connectPages(
  { ipcMain, MessageChannelMain }: typeof Electron,
  studio: Studio,
  given: Map<number, string>,
): void {
  ipcMain.on("connect", (event) => {
    // The page itself, not a frame in it, and not one that is already gone.
    const frame = event.senderFrame
    if (!frame || frame !== event.sender.mainFrame || !isOwn(frame.url)) return
    const { port1, port2 } = new MessageChannelMain()
    const { send, disconnect } = studio.connect({
      send: (message) => port1.postMessage(message),
      onMessage: (listener) => void port1.on("message", ({ data }) => listener(data)),
    })
    port1.on("close", disconnect)
    port1.start()
    frame.postMessage("port", null, [port2])
    const file = given.get(event.sender.id)
    given.delete(event.sender.id)
    if (file) void studio.openPath(file, send)
  })
}

const windowOptions = (preload: string, devTools: boolean): Electron.BrowserWindowConstructorOptions => ({
  width: 1440,
  height: 900,
  minWidth: 900,
  minHeight: 600,
  title: "Megabyte Studio",
  webPreferences: {
    preload,
    contextIsolation: true,
    sandbox: true,
    nodeIntegration: false,
    devTools,
    // It would fetch its dictionaries from a server.
    spellcheck: false,
  },
})

/** Whatever shows a page stays on it: no navigation, in a frame neither, no further windows, no page inside of it. */
function confine(contents: Electron.WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: "deny" }))
  contents.on("will-navigate", (event) => event.preventDefault())
  contents.on("will-frame-navigate", (event) => event.preventDefault())
  contents.on("will-redirect", (event) => event.preventDefault())
  contents.on("will-attach-webview", (event) => event.preventDefault())
}

/**
 * Electron grants every permission unless told otherwise; the app writes the clipboard and needs no network at all. The
 * microphone is used only where a person says so, each time the app runs anew, and the camera never.
 */
function restrict(session: Electron.Session, isWished: (contents: Electron.WebContents) => Promise<boolean>): void {
  const granted = (permission: string) => permission === "clipboard-sanitized-write"
  let heard = false
  session.setPermissionRequestHandler((contents, permission, answer, details) => {
    const { mediaTypes = [], requestingUrl = "", isMainFrame } = details as Electron.MediaAccessPermissionRequest
    const isSound = permission === "media" && mediaTypes.length > 0 && mediaTypes.every((type) => type === "audio")
    if (!isSound || !isMainFrame || !isOwn(requestingUrl)) return answer(granted(permission))
    if (heard) return answer(true)
    isWished(contents).then(
      (yes) => {
        heard = yes
        answer(yes)
      },
      () => answer(false),
    )
  })
  session.setPermissionCheckHandler((_, permission, asking, { mediaType }) =>
    permission === "media" ? heard && mediaType === "audio" && isOwn(asking) : granted(permission),
  )
  session.setDevicePermissionHandler(() => false)
  const local = /^(app:\/\/studio\/|blob:|data:|devtools:)/
  session.webRequest.onBeforeRequest(({ url }, answer) => answer({ cancel: !local.test(url) }))
}

/** Asks a person whether the app may listen; whatever is no plain yes is a no. */
async function askForMicrophone(
  { dialog, BrowserWindow }: typeof Electron,
  contents: Electron.WebContents,
): Promise<boolean> {
  const question = {
    type: "question",
    title: "Microphone",
    message: "Let Megabyte Studio use the microphone?",
    detail: "What you record stays on this computer.",
    buttons: ["Don't allow", "Allow"],
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  } as const
  const options = { ...question, buttons: [...question.buttons] }
  const window = BrowserWindow.fromWebContents(contents)
  const { response } = await (window ? dialog.showMessageBox(window, options) : dialog.showMessageBox(options))
  return response === 1
}

/** The files that a command line names; its first word is the program. */
function filesOf(argv: string[], folder: string): string[] {
  const paths = argv.slice(1).filter((word) => !word.startsWith("-"))
  return paths
    .map((path) => resolve(folder, path))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
}

/** A file of the built renderer, by its app:// address. */
function page(address: string, root: string): Response {
  const { pathname } = new URL(address)
  const path = normalize(join(root, decodeURIComponent(pathname)))
  if (!isOwn(address) || !path.startsWith(normalize(`${root}/`)) || !extname(path) || !existsSync(path))
    return new Response("Not found.", { status: 404, headers: securityHeaders })
  const type = contentTypes[extname(path)] ?? "application/octet-stream"
  const headers = { "Content-Type": type, ...securityHeaders }
  return new Response(new Uint8Array(readFileSync(path)), { headers })
}

/** A script as a utility process of Electron. */
function utilityChild(
  utilityProcess: typeof Electron.utilityProcess,
  entry: string,
  options: Electron.ForkOptions,
): ChildPort {
  const child = utilityProcess.fork(entry, [], options)
  let ended: number | undefined
  child.on("exit", (code) => {
    ended = code
  })
  return {
    send: (message) => {
      if (ended === undefined) child.postMessage(message)
    },
    onMessage: (listener) => void child.on("message", listener),
    onExit: (listener) => void child.on("exit", (code) => listener(code, null)),
    kill: () => void child.kill(),
  }
}

const utilityEngine =
  (utilityProcess: typeof Electron.utilityProcess, entry: string): StartEngine =>
  (cache, quiet = false) =>
    utilityChild(utilityProcess, entry, {
      serviceName: "Megabyte engine",
      env: { ...process.env, MEGABYTE_CACHE: cache },
      stdio: quiet ? "ignore" : "inherit",
    })

const utilityMedia =
  (utilityProcess: typeof Electron.utilityProcess, entry: string): StartMedia =>
  () =>
    utilityChild(utilityProcess, entry, {
      serviceName: "Megabyte media",
      execArgv: ["--max-old-space-size=512"],
      stdio: "inherit",
    })
