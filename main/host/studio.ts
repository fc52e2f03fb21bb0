import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { basename, isAbsolute, join } from "node:path"
import { type AppEvent, Command, Preferences, type Preview } from "../../contract/app.ts"
import { PACK_FILES } from "../../contract/files.ts"
import { makeFolder } from "../files/make-folder.ts"
import { replaceFile } from "../files/replace-file.ts"
import { systemReason } from "../files/system-reason.ts"
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
import { type AppPaths, importPack, importWeights, removePack } from "./packs/find.ts"
import { packSummaries } from "./packs/summary.ts"
import { readPreferences, writePreferences } from "./preferences.ts"
import { previewOf } from "./previews.ts"
import { type Opening, openPrompt } from "./prompts.ts"
import { search } from "./search.ts"
import { Upload } from "./uploads.ts"
import { type Send, Windows } from "./windows.ts"

/** Characters of a draft that is kept. */
const LONGEST_DRAFT = 2 ** 24
/** Items of the library in one message. */
const PART = 500

/**
 * The app behind its windows, the same under Electron and in a browser: takes commands from them and hands each to the
 * service that does it. A host hands it folders and a way to start the engine.
 */
export class Studio {
  readonly log: Log
  private readonly media: MediaReader
  private readonly windows: Windows
  private readonly engine: EngineService
  private readonly generation: Generation
  private readonly libraries: Libraries
  private preferences: Preferences
  /** A pack that arrives, and files that were dropped. */
  private readonly incoming: Upload
  private readonly dropped: Upload

  constructor(
    private readonly places: AppPaths,
    startEngine: StartEngine,
    startMedia?: StartMedia,
  ) {
    this.media = new MediaReader(startMedia)
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

  /** Connects a window; it gets the whole state first. Returns what disconnects it. */
  connect(send: Send): () => void {
    const disconnect = this.windows.add(send)
    this.sendState(send)
    // What went wrong before there was a window.
    for (const text of this.libraries.greetings.splice(0)) send({ type: "notice", kind: "info", text })
    void this.engine.makeReady(packSummaries(this.places), () => this.generation.isIdle)
    return disconnect
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

  /** Takes one message from a window: anything at all, checked here. */
  async receive(message: unknown, answer: Send): Promise<void> {
    const parsed = Command.safeParse(message)
    if (parsed.success) return this.windows.attempt(() => this.execute(parsed.data, answer), answer)
    const issue = parsed.error.issues[0]
    const text = `That was not understood (${issue?.path.join(".")}: ${issue?.message}).`
    answer({ type: "notice", kind: "problem", text })
  }

  /** Opens a file of this machine in a window, as if it were dropped there. */
  async openPath(path: string, answer: Send): Promise<void> {
    const opening = { name: basename(path), pack: "" }
    await this.windows.attempt(async () => answer(await this.open(opening, path)), answer)
  }

  private open(opening: Opening, path: string): Promise<AppEvent> {
    const { media, places, library } = this
    const { generation } = this
    const bitsFor = generation.isIdle ? generation.bitsFor.bind(generation) : undefined
    return openPrompt(opening, path, { media, places, library, bitsFor })
  }

  private async execute(command: Command, answer: Send): Promise<void> {
    switch (command.type) {
      case "generate":
        return this.generation.generate(command)
      case "continue":
        return this.generation.continueItem(command.id, command)
      case "score":
        return this.generation.score(command.pack, command.name, command.bytes)
      case "stop":
        return this.generation.cancel()
      case "alternatives":
        return answer(await this.generation.alternatives(command.id, command.at))
      case "open":
        try {
          return answer(await this.open(command, this.dropped.path(command.file)))
        } finally {
          this.dropped.remove(command.file)
        }
      case "export":
        this.generation.flush()
        return answer(await exportItem(command.id, command.form, this.places, this.library))
      case "devices":
        return answer({ type: "devices", devices: await this.engine.tryDevices() })
      case "prefer":
        return this.prefer(command.preferences)
      case "draft":
        return this.keepDraft(command.text)
      case "upload":
        return this.take(command, answer)
      case "import":
        return this.importIncoming(answer)
      case "importWeights":
        return this.importWeights(command, answer)
      case "removePack":
        removePack(command.name, this.places)
        return this.broadcastPacks()
      default:
        return this.executeOnLibrary(command, answer)
    }
  }

  private async executeOnLibrary(command: LibraryCommand, answer: Send): Promise<void> {
    const { library } = this
    const broadcast = (item: ReturnType<Library["get"]>) => this.windows.broadcast({ type: "item", item })
    switch (command.type) {
      case "read":
        this.generation.flush()
        return answer(contentOf(library, command.id))
      case "preview":
        return answer({ type: "previews", previews: this.previews(command.ids) })
      case "search":
        return answer({ type: "found", query: command.query, ids: search(library, command.query) })
      case "rename":
        return broadcast(library.update(command.id, { title: command.title }))
      case "favourite":
        return broadcast(library.update(command.id, { favourite: command.on }))
      case "delete":
        if (library.get(command.id).status === "running") throw new Error("It is still being written; stop it first.")
        library.delete(command.id)
        return this.windows.broadcast({ type: "gone", id: command.id })
      case "undelete":
        return broadcast(library.undelete(command.id))
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
  private prefer(change: Extract<Command, { type: "prefer" }>["preferences"]): void {
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
      return readFileSync(this.draftPath, "utf8").slice(0, LONGEST_DRAFT)
    } catch {
      return ""
    }
  }

  private take({ file, offset, bytes }: Extract<Command, { type: "upload" }>, answer: Send): void {
    const place = PACK_FILES.some((name) => name === file) ? this.incoming : this.dropped
    try {
      place.take(file, offset, bytes)
    } catch (error) {
      answer({ type: "taken", file, kept: false })
      throw error
    }
    answer({ type: "taken", file, kept: true })
  }

  /** Checks and keeps the pack that has arrived. @throws PackError, and nothing is kept */
  private importIncoming(answer: Send): void {
    try {
      const name = importPack(this.incoming.folder, this.places)
      answer({ type: "notice", kind: "info", text: `The pack ${name} was checked and is ready.` })
      this.broadcastPacks()
    } finally {
      this.incoming.clear()
    }
  }

  /** Makes a pack of another package's weights that have arrived. @throws PackError, and nothing is kept */
  private importWeights({ file, name, options }: Extract<Command, { type: "importWeights" }>, answer: Send): void {
    try {
      const pack = importWeights(this.dropped.path(file), this.places, options, name)
      answer({ type: "notice", kind: "info", text: `A pack was made of ${name}: ${pack} is ready.` })
      this.broadcastPacks()
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

/** Commands that the library alone answers. */
type LibraryCommand = Extract<
  Command,
  { type: "read" | "preview" | "search" | "rename" | "favourite" | "delete" | "undelete" }
>
