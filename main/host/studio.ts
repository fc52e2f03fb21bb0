import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { basename, isAbsolute, join } from "node:path"
import { type Item, type PreferenceChange, Preferences, type Preview, type Settings } from "../../contract/app.ts"
import { CodedError } from "../../contract/errors.ts"
import { PACK_FILES } from "../../contract/files.ts"
import { MAX_DRAFT } from "../../contract/limits.ts"
import { byColumns, canvasOf } from "../../contract/pack.ts"
import { type Channel, type Handlers, serveRpc } from "../../contract/rpc.ts"
import {
  type Asked,
  type Given,
  type Method,
  type Opened,
  type WindowProtocol,
  windowProtocol,
} from "../../contract/window.ts"
import { makeFolder } from "../files/make-folder.ts"
import { replaceFile } from "../files/replace-file.ts"
import { systemReason } from "../files/system-reason.ts"
import { readPack } from "../packs/read.ts"
import { Documents } from "./documents.ts"
import type { StartEngine } from "./engine/client.ts"
import { EngineService } from "./engine/service.ts"
import { sentenceOf } from "./errors.ts"
import { exportItem } from "./exports.ts"
import { contentOf, Generation } from "./generation.ts"
import { Libraries } from "./libraries.ts"
import type { Library } from "./library.ts"
import { LibraryInUse } from "./lock.ts"
import { Log } from "./log.ts"
import { MediaReader, type StartMedia } from "./media/client.ts"
import { type AppPaths, findPack, removePack } from "./packs/find.ts"
import { Importer } from "./packs/importer.ts"
import { packSummaries } from "./packs/summary.ts"
import { readPreferences, writePreferences } from "./preferences.ts"
import { previewOf } from "./previews.ts"
import { type Opening, openPrompt } from "./prompts.ts"
import { search } from "./search.ts"
import { Upload } from "./uploads.ts"
import { type Send, Windows } from "./windows.ts"

/** Items of the library in one message. */
const PART = 500
/** Calls of one window that may wait for their answers. */
const MOST_CALLS = 256
/** Dropped pictures that stay, to be framed otherwise. */
const MOST_FRAMED = 4

/** How a window is told something, and what takes it away. */
export type Connection = { send: Send; disconnect(): void }

/**
 * The app behind its windows, the same under Electron and in a browser: takes calls from them and hands each to the
 * service that does it. A host hands it folders and a way to start the engine.
 */
export class Studio {
  readonly log: Log
  private readonly media: MediaReader
  private readonly importer: Importer
  private readonly windows: Windows
  private readonly engine: EngineService
  private readonly generation: Generation
  private readonly libraries: Libraries
  private preferences: Preferences
  /** A pack that arrives, and files that were dropped. */
  private readonly incoming: Upload
  private readonly dropped: Upload
  /** Dropped pictures that stay, the last one opened last. */
  private readonly framed = new Set<string>()
  private readonly documents = new Documents()

  constructor(
    private readonly places: AppPaths,
    startEngine: StartEngine,
    startMedia?: StartMedia,
  ) {
    this.media = new MediaReader(startMedia)
    this.importer = new Importer(places, startMedia)
    this.log = new Log(places.home)
    makeHome(places.home)
    this.windows = new Windows(this.log)
    this.preferences = readPreferences(this.preferencesPath)
    this.incoming = new Upload(join(places.home, "packs", ".incoming"))
    this.dropped = new Upload(join(places.home, "dropped"))
    this.libraries = new Libraries(this.preferences.library, places, this.log)
    void this.libraries.repair()
    this.engine = new EngineService(startEngine, places, this.windows, () => this.preferences)
    this.generation = new Generation(this.engine, this.windows, places, () => this.library)
  }

  private get preferencesPath(): string {
    return join(this.places.home, "preferences.json")
  }

  private get draftPath(): string {
    return join(this.places.home, "draft.txt")
  }

  private get library(): Library {
    return this.libraries.current
  }

  /** Connects a window: it may ask, and gets the whole state first. */
  connect(channel: Channel): Connection {
    const failure = (error: unknown, method: Method) => this.windows.failureOf(error, `the call ${method}`)
    const send = serveRpc(channel, windowProtocol, this.handlers, failure, MOST_CALLS)
    const disconnect = this.windows.add(send)
    this.sendState(send)
    // What went wrong before there was a window.
    for (const text of this.libraries.greetings.splice(0)) send({ type: "notice", kind: "info", text })
    void this.engine.makeReady(packSummaries(this.places), () => this.generation.isIdle)
    return { send, disconnect }
  }

  /** From here on what nobody catches is told and logged, and ends nothing. Returns what undoes that. */
  catchEverything(): () => void {
    return this.windows.catchEverything()
  }

  /** The whole state, and the run that is on. */
  private sendState(send: Send): void {
    const { preferences, library } = this
    // One window alone: two would both write it.
    const draft = this.windows.count === 1 ? this.keptDraft() : ""
    const run = this.generation.current()
    const running = run.length > 0
    send({ type: "state", packs: packSummaries(this.places), folder: library.folder, preferences, draft, running })
    const items = library.list()
    for (let i = 0; i < items.length; i += PART) send({ type: "items", items: items.slice(i, i + PART) })
    for (const event of run) send(event)
  }

  /** Opens a file of this machine in a window, as if it were dropped there. */
  async openPath(path: string, send: Send): Promise<void> {
    try {
      send({ type: "opened", ...(await this.open({ name: basename(path), pack: "" }, path)) })
    } catch (error) {
      const { message: text, details } = this.windows.failureOf(error, "opening a file")
      send({ type: "notice", kind: "problem", text, ...(details === undefined ? {} : { details }) })
    }
  }

  private async open(opening: Opening, path: string): Promise<Opened> {
    const { media, places, library } = this
    const { generation } = this
    const bitsFor = generation.isIdle ? generation.bitsFor.bind(generation) : undefined
    const read = await openPrompt(opening, path, { media, places, library, bitsFor })
    return { ...read, document: this.documents.keep(read.bytes) }
  }

  /** Opens a file that was dropped. A picture that can be framed otherwise stays for that, with the few before it. */
  private async openDropped(asked: Asked<"open">): Promise<Opened> {
    const { name, file } = asked
    if (!existsSync(this.dropped.path(file))) throw new CodedError("gone", `${name} cannot be read.`)
    this.framed.delete(file)
    try {
      const opened = await this.open(asked, this.dropped.path(file))
      if (opened.adjustable?.crop || opened.adjustable?.dither) this.framed.add(file)
      return opened
    } finally {
      if (!this.framed.has(file)) this.dropped.remove(file)
      for (const oldest of [...this.framed].slice(0, -MOST_FRAMED)) {
        this.framed.delete(oldest)
        this.dropped.remove(oldest)
      }
    }
  }

  /** The bytes that a run begins with, in the order in which the model reads them. */
  private bytesOf(given: Given, { pack, columns = false }: Pick<Settings, "pack" | "columns">): Uint8Array {
    if (given instanceof Uint8Array) return given
    if ("document" in given) {
      const bytes = this.documents.get(given.document)
      const canvas = columns ? canvasOf(readPack(findPack(pack, this.places))) : undefined
      return (canvas ? byColumns(bytes, canvas) : bytes).subarray(0, given.length)
    }
    this.generation.flush()
    const before = this.library.read(given.item).bytes.subarray(0, given.length)
    return given.next === undefined ? before : Buffer.concat([before, Uint8Array.of(given.next)])
  }

  /** What windows can ask for. */
  private readonly handlers: Handlers<WindowProtocol> = {
    generate: (asked) => this.generation.generate({ ...asked, given: this.bytesOf(asked.given, asked.settings) }),
    continue: (asked) => this.generation.continueItem(asked.id, asked),
    score: ({ pack, name, given }) => this.generation.score(pack, name, this.bytesOf(given, { pack })),
    stop: () => this.generation.cancel(),
    alternatives: ({ id, at }) => this.generation.alternatives(id, at),
    upload: ({ file, offset, bytes }) => this.placeOf(file).take(file, offset, bytes),
    open: (asked) => this.openDropped(asked),
    import: () => this.importIncoming(),
    importWeights: (asked) => this.importWeights(asked),
    removePack: ({ name }) => {
      removePack(name, this.places)
      this.broadcastPacks()
    },
    export: ({ id, form }) => {
      this.generation.flush()
      return exportItem(id, form, this.places, this.library)
    },
    read: ({ id }) => {
      this.generation.flush()
      return contentOf(this.library, id)
    },
    preview: ({ ids }) => this.previews(ids),
    search: ({ query }) => search(this.library, query),
    rename: ({ id, title }) => this.broadcastItem(this.library.update(id, { title })),
    favourite: ({ id, on }) => this.broadcastItem(this.library.update(id, { favourite: on })),
    delete: ({ ids }) => this.delete(ids),
    undelete: ({ ids }) => {
      for (const id of ids) this.broadcastItem(this.library.undelete(id))
    },
    draft: ({ text }) => this.keepDraft(text),
    devices: () => this.engine.tryDevices(),
    prefer: ({ preferences }) => this.prefer(preferences),
  }

  private broadcastItem(item: Item): void {
    this.windows.broadcast({ type: "item", item })
  }

  /** Deletes items, none where one is being written. */
  private delete(ids: string[]): void {
    const { library } = this
    if (ids.some((id) => library.get(id).status === "running"))
      throw new Error("It is still being written; stop it first.")
    for (const id of ids) {
      library.delete(id)
      this.windows.broadcast({ type: "gone", id })
    }
  }

  private previews(ids: string[]): Preview[] {
    const packs = new Map(packSummaries(this.places).map((p) => [p.name, p]))
    return ids.flatMap((id) => {
      try {
        const item = this.library.get(id)
        return previewOf(this.library, item, packs.get(item.settings.pack))
      } catch {
        return [] // It has just gone.
      }
    })
  }

  /** Takes changed preferences, all or none. @throws Error when the library's folder cannot be used */
  private prefer(change: PreferenceChange): void {
    const preferences = Preferences.parse({ ...this.preferences, ...change })
    if (preferences.library !== this.preferences.library) {
      this.generation.assertIdle()
      if (preferences.library && !isAbsolute(preferences.library))
        throw new Error("The library's folder must be an absolute path.")
      try {
        // One level only, as a path that was mistyped makes no folders.
        if (preferences.library && !existsSync(preferences.library)) mkdirSync(preferences.library, { mode: 0o700 })
        this.libraries.open(preferences.library || this.libraries.usual)
      } catch (error) {
        if (error instanceof LibraryInUse) throw error
        const why = systemReason(error) ?? sentenceOf(error)
        throw new Error(`${preferences.library} cannot be used as the library: ${why}.`)
      }
    }
    this.preferences = preferences
    // They hold from now on also where they cannot be kept: a full disk is left by choosing a library on another one.
    this.windows.each((send) => this.sendState(send))
    writePreferences(this.preferencesPath, preferences)
  }

  private keepDraft(text: string): void {
    if (text) {
      makeFolder(this.places.home, 0o700)
      replaceFile(this.draftPath, text)
    } else if (this.keptDraft()) rmSync(this.draftPath, { force: true })
  }

  /** What was kept of a draft; nothing where it cannot be read. */
  private keptDraft(): string {
    try {
      return readFileSync(this.draftPath, "utf8").slice(0, MAX_DRAFT)
    } catch {
      return ""
    }
  }

  /** Where a file that arrives is put. */
  private placeOf(file: string): Upload {
    return PACK_FILES.some((name) => name === file) ? this.incoming : this.dropped
  }

  /** Checks and keeps the pack that has arrived; meanwhile another one may arrive. @throws CodedError, and nothing is kept */
  private async importIncoming(): Promise<string> {
    const arrived = this.dropped.takeOver(this.incoming)
    try {
      const name = await this.importer.importPack(this.dropped.path(arrived))
      this.broadcastPacks()
      return name
    } finally {
      this.dropped.remove(arrived)
    }
  }

  /** Makes a pack of another package's weights that have arrived. @throws CodedError, and nothing is kept */
  private async importWeights({ file, name, options }: Asked<"importWeights">): Promise<string> {
    try {
      const pack = await this.importer.importWeights(this.dropped.path(file), name, options)
      this.broadcastPacks()
      return pack
    } finally {
      this.dropped.remove(file)
    }
  }

  private broadcastPacks(): void {
    this.windows.broadcast({ type: "packs", packs: packSummaries(this.places) })
  }

  close(): void {
    this.generation.cancel()
    this.engine.close()
    this.media.close()
    this.importer.close()
    this.generation.flush()
    this.libraries.close()
  }
}

/** The app's folder, its owner's alone. @throws Error with one line */
function makeHome(home: string): void {
  try {
    makeFolder(home, 0o700)
    // One that was made before it was to be private.
    if (process.platform !== "win32") chmodSync(home, 0o700)
  } catch (error) {
    if (existsSync(home) && statSync(home).isDirectory()) return // read-only: what is there is shown
    const why = systemReason(error) ?? "it cannot be made"
    throw new Error(
      `The app's folder ${home} cannot be used: ${why}. Set MEGABYTE_HOME and MEGABYTE_CACHE to folders that can be written to.`,
    )
  }
}
