import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { basename, isAbsolute, join } from "node:path"
import {
  type AppEvent,
  Command,
  type FileForm,
  type Item,
  LONGEST_TEXT,
  type PackSummary,
  type Preferences,
  type Preview,
  type Settings,
} from "../../contract/app.ts"
import { type LengthUnit, lengthIn } from "../../contract/characters.ts"
import { PACK_FILES } from "../../contract/files.ts"
import { modalities } from "../../contract/modality/index.ts"
import { canvasOf, documentsOf, type Pack, soundOf, textOf } from "../../contract/pack.ts"
import { defaultSampling } from "../../contract/sampling.ts"
import { replaceFile } from "../files/replace-file.ts"
import { documentBounds, readPack, roomAfter, wholeDocument } from "../packs/read.ts"
import { EngineClient, type StartEngine } from "./engine/client.ts"
import { tryDevices } from "./engine/devices.ts"
import { Placements } from "./engine/placements.ts"
import { detailsOf, sentenceOf } from "./errors.ts"
import { Library } from "./library.ts"
import { Log } from "./log.ts"
import { MediaReader, type StartMedia } from "./media/client.ts"
import { MediaError } from "./media/error.ts"
import { media } from "./media/index.ts"
import { findPack, importPack, listPacks, type Places, packFor, removePack } from "./packs/find.ts"
import { readPreferences, writePreferences } from "./preferences.ts"
import { previewOf } from "./previews.ts"
import { spreadSafetyNet } from "./safety-net.ts"
import { search } from "./search.ts"
import { Upload } from "./uploads.ts"

/** Milliseconds between two bundles of patches to the windows: one animation frame. */
const FRAME = 16
/** Milliseconds between two writes of what is being generated to the library. */
const FLUSH = 1000
/** Items of the library in one message. */
const PART = 500
/** Likeliest bytes that are told of each place of a patch. */
const ALTERNATIVES = 5
/** Bytes of weights, all packs together, that are made ready when a window comes. */
const READY_WEIGHTS = 512 * 2 ** 20

/** The item being written, and what of it is not yet sent or on disk. */
type Writing = { id: string; unsent: Part; unsaved: Part; bytes: number; nats: number }
type Part = { bytes: number[]; bits: number[] }

const fresh = (): Part => ({ bytes: [], bits: [] })
const base64 = (bytes: Uint8Array | number[]) => Buffer.from(bytes).toString("base64")

/**
 * The app behind its windows, the same under Electron and in a browser: takes commands, runs the engine, keeps the
 * library, tells every window what happens. A host hands it folders and a way to start the engine.
 */
export class Studio {
  readonly log: Log
  private readonly media: MediaReader
  private engine: EngineClient | undefined
  private library: Library
  private preferences: Preferences
  /** A pack that arrives, and files that were dropped. */
  private readonly incoming: Upload
  private readonly dropped: Upload
  private readonly windows = new Set<(event: AppEvent) => void>()
  private readonly placements: Placements
  private gpuFailed = false
  private isReady = false
  private running: { cancel(): void } | undefined
  /** Sends and saves what is pending of the running generation, so that what is read next is whole. */
  private settle = () => {}
  /** Items being written, for a window that comes in the middle. */
  private live: { ids: string[]; total: number; made: number; unit: LengthUnit } | undefined

  constructor(
    private readonly places: Places,
    private readonly startEngine: StartEngine,
    startMedia?: StartMedia,
  ) {
    this.media = new MediaReader(startMedia)
    this.log = new Log(places.home)
    this.preferences = readPreferences(this.preferencesPath)
    this.incoming = new Upload(join(places.home, "packs", ".incoming"))
    this.dropped = new Upload(join(places.home, "dropped"))
    this.library = this.openLibrary(this.preferences)
    this.library.emptyDeleted()
    this.placements = new Placements(startEngine, this.graphs)
  }

  private get preferencesPath(): string {
    return join(this.places.home, "preferences.json")
  }

  private get draftPath(): string {
    return join(this.places.home, "draft.txt")
  }

  /** The library in the folder that was chosen, or in the usual one where that cannot be used (a disk that is away). */
  private openLibrary({ library }: Preferences): Library {
    return new Library(library && existsSync(library) ? library : join(this.places.home, "library"))
  }

  /** Connects a window; it gets the whole state first. Returns what disconnects it. */
  connect(send: (event: AppEvent) => void): () => void {
    this.windows.add(send)
    this.greet(send)
    if (!this.isReady) void this.makeReady()
    return () => void this.windows.delete(send)
  }

  /** The whole state, and the run that is on. */
  private greet(send: (event: AppEvent) => void): void {
    const { preferences, library } = this
    // One window alone: two would both write it.
    const draft = this.windows.size === 1 && existsSync(this.draftPath) ? readFileSync(this.draftPath, "utf8") : ""
    send({ type: "state", packs: this.packs(), folder: library.folder, preferences, draft })
    const items = library.list()
    for (let i = 0; i < items.length; i += PART) send({ type: "items", items: items.slice(i, i + PART) })
    if (!this.live) return
    send({ type: "run", ...this.live })
    send({ type: "phase", phase: "writing" })
  }

  /** Takes one message from a window: anything at all, checked here. */
  async receive(message: unknown, answer: (event: AppEvent) => void): Promise<void> {
    const parsed = Command.safeParse(message)
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      answer({
        type: "notice",
        kind: "problem",
        text: `That was not understood (${issue?.path.join(".")}: ${issue?.message}).`,
      })
      return
    }
    await this.attempt(() => this.execute(parsed.data, answer), answer)
  }

  /** Opens a file of this machine in a window, as if it were dropped there. */
  async openPath(path: string, answer: (event: AppEvent) => void): Promise<void> {
    await this.attempt(async () => answer(await this.open({ name: basename(path), pack: "" }, path)), answer)
  }

  /** What goes wrong is told where it was asked for, in one line. */
  private async attempt(work: () => Promise<void>, answer: (event: AppEvent) => void): Promise<void> {
    try {
      await work()
    } catch (error) {
      answer(this.problem("a command", error))
    }
  }

  private tell(event: AppEvent): void {
    for (const send of this.windows) {
      try {
        send(event)
      } catch (error) {
        this.log.write("a window", detailsOf(error)) // the others are told all the same
      }
    }
  }

  /** What went wrong as a notice; what is more than a refusal comes with its details, which go into the log. */
  private problem(context: string, error: unknown): AppEvent {
    const text = sentenceOf(error)
    const isRefusal = error instanceof Error && error.message === text && error.cause === undefined
    if (isRefusal) return { type: "notice", kind: "problem", text }
    const details = detailsOf(error)
    this.log.write(context, details)
    return { type: "notice", kind: "problem", text, details: details.slice(0, 8000) }
  }

  /** From here on what nobody catches is told and logged, and ends nothing. Returns what undoes that. */
  catchEverything(): () => void {
    return spreadSafetyNet(this.log, (text, details) =>
      this.tell({ type: "notice", kind: "problem", text, details: details.slice(0, 8000) }),
    )
  }

  private tellItem(item: Item): void {
    this.tell({ type: "item", item })
  }

  private async execute(command: Command, answer: (event: AppEvent) => void): Promise<void> {
    switch (command.type) {
      case "generate":
        return this.generate(command, Buffer.from(command.given, "base64"))
      case "continue":
        return this.goOn(command.id, command)
      case "stop":
        return this.running?.cancel()
      case "open":
        try {
          return answer(await this.open(command, this.dropped.path(command.file)))
        } finally {
          this.dropped.remove(command.file)
        }
      case "export":
        return answer(await this.export(command.id, command.form))
      case "read": {
        this.settle()
        const { bytes, bits } = this.library.read(command.id)
        return answer({
          type: "content",
          id: command.id,
          bytes: base64(bytes),
          bits: Array.from(bits, (b) => (Number.isNaN(b) ? -1 : b)),
        })
      }
      case "preview":
        return answer({ type: "previews", previews: this.previews(command.ids) })
      case "search":
        return answer({ type: "found", query: command.query, ids: search(this.library, command.query) })
      case "alternatives":
        return answer(await this.alternatives(command.id, command.at))
      case "rename":
        return this.tellItem(this.library.update(command.id, { title: command.title }))
      case "favourite":
        return this.tellItem(this.library.update(command.id, { favourite: command.on }))
      case "delete":
        if (this.library.get(command.id).status === "running")
          throw new Error("It is still being written; stop it first.")
        this.library.delete(command.id)
        return this.tell({ type: "gone", id: command.id })
      case "undelete":
        return this.tellItem(this.library.undelete(command.id))
      case "draft":
        return this.keepDraft(command.text)
      case "devices":
        return answer({ type: "devices", devices: await tryDevices(this.startEngine, this.graphs) })
      case "prefer":
        return this.prefer(command.preferences)
      case "upload": {
        const { file, offset, bytes } = command
        const place = PACK_FILES.some((name) => name === file) ? this.incoming : this.dropped
        try {
          place.take(file, offset, Buffer.from(bytes, "base64"))
        } catch (error) {
          answer({ type: "taken", file, kept: false })
          throw error
        }
        return answer({ type: "taken", file, kept: true })
      }
      case "import": {
        const name = this.importIncoming()
        answer({ type: "notice", kind: "info", text: `The pack ${name} was checked and is ready.` })
        return this.tell({ type: "packs", packs: this.packs() })
      }
      case "removePack":
        removePack(command.name, this.places)
        return this.tell({ type: "packs", packs: this.packs() })
      case "score":
        return this.score(command.pack, command.name, Buffer.from(command.bytes, "base64"))
    }
  }

  /** Takes new preferences, all or none. @throws Error when the library's folder cannot be used */
  private prefer(preferences: Preferences): void {
    if (preferences.library !== this.preferences.library) {
      this.assertIdle()
      if (preferences.library && !isAbsolute(preferences.library))
        throw new Error("The library's folder must be a whole path, from the root on; nothing has changed.")
      try {
        // One level only: Node's recursive mkdir never returns under /proc.
        if (preferences.library && !existsSync(preferences.library)) mkdirSync(preferences.library)
        this.library = new Library(preferences.library || join(this.places.home, "library"))
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        throw new Error(`${preferences.library} cannot be used as the library (${code}); nothing has changed.`)
      }
    }
    this.preferences = preferences
    writePreferences(this.preferencesPath, preferences)
    for (const send of this.windows) this.greet(send)
  }

  private keepDraft(text: string): void {
    if (text) {
      mkdirSync(this.places.home, { recursive: true })
      replaceFile(this.draftPath, text)
    } else rmSync(this.draftPath, { force: true })
  }

  /** Checks and keeps the pack that has arrived; returns its name. @throws PackError, and nothing is kept */
  private importIncoming(): string {
    try {
      return importPack(this.incoming.folder, this.places)
    } finally {
      this.incoming.clear()
    }
  }

  /** What a file is, as a prompt. @throws MediaError */
  private async open(opening: Opening, path: string): Promise<AppEvent> {
    const { name } = opening
    try {
      accessSync(path, constants.R_OK)
    } catch {
      throw new MediaError(`${name} cannot be read; nothing has changed.`)
    }
    const modality = await this.media.detect(name, path)
    const packName = packFor(modality, opening.pack, this.places)
    const read = await this.prompt(opening, path, packName)
    const { settings } = read
    if (!settings || settings.pack === packName) return { type: "opened", name, pack: packName, modality, ...read }
    // It was made with another pack: that one goes on from it, where it is here.
    if (packFor(modality, settings.pack, this.places) === settings.pack)
      return {
        type: "opened",
        name,
        pack: settings.pack,
        modality,
        ...(await this.prompt(opening, path, settings.pack)),
      }
    const note = [read.note, `the pack ${settings.pack} that made it is not here, so its style is left out`]
    const kept = { ...settings, pack: packName, style: 0 }
    return {
      type: "opened",
      name,
      pack: packName,
      modality,
      ...read,
      note: note.filter(Boolean).join("; "),
      settings: kept,
    }
  }

  /** Canonical bytes of a file for a pack, what was done to it, and how it was made where it was made here. */
  private async prompt({ name, framing }: Opening, path: string, packName: string) {
    const pack = readPack(findPack(packName, this.places))
    const { bytes, note, settings, adjustable } = await this.media.read(name, path, pack, { framing })
    // Not every file has a place for settings: one that was made here is known by its bytes.
    const same = (item: Item) => item.modality === pack.modality && item.bytes === bytes.length && !item.scored
    const made = settings
      ? { settings }
      : this.library.list().find((item) => same(item) && this.library.read(item.id).bytes.equals(bytes))
    return {
      bytes: base64(bytes),
      note,
      ...(adjustable ? { adjustable } : {}),
      ...(made ? { settings: made.settings } : {}),
    }
  }

  /** A picture or a sound as a file to save. */
  private async export(id: string, form: FileForm): Promise<AppEvent> {
    this.settle()
    const { title, settings, scored } = this.library.get(id)
    const pack = readPack(findPack(settings.pack, this.places))
    const { [form]: kind } = modalities[pack.modality].forms
    if (!kind) throw new Error("This pack does not make files of that kind; nothing was written.")
    const file = await media[pack.modality].write(form, this.library.read(id).bytes, pack, {
      settings: scored ? undefined : settings,
    })
    return { type: "exported", title, extension: kind.extension, mime: kind.mime, bytes: base64(file) }
  }

  private packs(): PackSummary[] {
    return listPacks(this.places).map((found) => {
      if ("problem" in found) {
        const name = found.folder.split(/[\\/]/).at(-1) ?? found.folder
        const nothing = {
          modality: "bytes" as const,
          patch: 1,
          license: "",
          data: "",
          parameters: 0,
          sizeBytes: 0,
          bitsPerByte: 0,
        }
        return { name, title: name, ...nothing, shipped: found.shipped, problem: found.problem }
      }
      const { name, title, modality, license, data, parameters, model, heldOut } = found.pack
      const sizeBytes = statSync(join(found.folder, "weights.safetensors")).size
      const { bitsPerByte } = heldOut
      const [canvas, sound, text] = [canvasOf(found.pack), soundOf(found.pack), textOf(found.pack)]
      return {
        name,
        title,
        modality,
        ...(canvas ? { canvas } : {}),
        ...(sound ? { sound } : {}),
        ...(text ? { text } : {}),
        ...(found.pack.sampling ? { sampling: found.pack.sampling } : {}),
        ...(found.pack.presets ? { presets: found.pack.presets } : {}),
        ...(found.pack.ranges ? { ranges: found.pack.ranges } : {}),
        patch: model.patch,
        license,
        data,
        parameters,
        sizeBytes,
        bitsPerByte,
        shipped: found.shipped,
      }
    })
  }

  /** The engine, started anew where it has died. */
  private client(): EngineClient {
    if (!this.engine || this.engine.isDead) this.engine = new EngineClient(this.startEngine(this.graphs))
    return this.engine
  }

  /** Folder of compiled graphs, and of what was measured of them. */
  private get graphs(): string {
    return join(this.places.cache, "graphs")
  }

  /** What the engine runs a pack with, and on. */
  private async target(folder: string) {
    const { threads, device: choice } = this.preferences
    const wanted = this.gpuFailed ? "cpu" : choice
    this.placements.pause()
    const placement = await this.placements.of(wanted, { folder, threads })
    this.tell({ type: "phase", phase: "loading" })
    if (choice === "gpu" && placement.device === "cpu" && !this.gpuFailed)
      this.tell({ type: "notice", kind: "info", text: "No GPU works here just now; the processor is used." })
    return { pack: folder, threads, ...placement }
  }

  private assertIdle(): void {
    if (this.running) throw new Error("Something is being written already; stop it first or wait for its end.")
  }

  /** Makes one pack of each kind ready, the preferred one first: what is asked for meanwhile goes before. */
  private async makeReady(): Promise<void> {
    this.isReady = true
    const { pack: preferred, device } = this.preferences
    const packs = this.packs().filter((p) => !p.problem)
    const first = packs.find((p) => p.name === preferred)
    const chosen = new Map((first ? [first, ...packs] : packs).reverse().map((p) => [p.modality, p]))
    let left = READY_WEIGHTS
    for (const { name, sizeBytes } of [...chosen.values()].reverse()) {
      left -= sizeBytes
      if (left < 0) break
      try {
        const folder = findPack(name, this.places)
        const { threads } = this.preferences
        const placement = await this.placements.of(device, { folder, threads })
        const { sampling } = readPack(folder)
        await this.client().load({ pack: folder, threads, ...placement, sampling: sampling ?? defaultSampling })
      } catch {
        // Whoever asks for it is told why.
      }
    }
    if (!this.running) this.placements.resume()
  }

  private previews(ids: string[]): Preview[] {
    const sounds = new Map(this.packs().map((p) => [p.name, p.sound]))
    return ids.flatMap((id) => {
      try {
        const item = this.library.get(id)
        return previewOf(this.library, item, sounds.get(item.settings.pack))
      } catch {
        return [] // It has just gone.
      }
    })
  }

  /** What else could have stood in the patch of an item that begins at `at`. */
  private async alternatives(id: string, at: number): Promise<AppEvent> {
    this.assertIdle()
    const { settings } = this.library.get(id)
    const folder = findPack(settings.pack, this.places)
    const pack = readPack(folder)
    const whole = this.library.read(id).bytes.subarray(0, at + pack.model.patch)
    if (whole.length <= at) throw new Error("There is nothing at that place.")
    const { prompt } = documentBounds(pack, whole, settings)
    const target = await this.target(folder)
    const { bytes, shares } = await this.client().alternatives({ ...target, bytes: prompt, count: ALTERNATIVES })
    this.placements.resume()
    const places = Array.from({ length: whole.length - at }, (_, place) =>
      Array.from({ length: ALTERNATIVES }, (_, i) => {
        const n = place * ALTERNATIVES + i
        return { byte: bytes[n] as number, share: Math.round((shares[n] as number) * 1e4) / 1e4 }
      }),
    )
    return { type: "alternatives", id, at, bytes: places }
  }

  private async generate(asked: Extract<Command, { type: "generate" }>, given: Uint8Array): Promise<void> {
    const { settings, name, parent } = asked
    this.assertIdle()
    const folder = findPack(settings.pack, this.places)
    const pack = readPack(folder)
    assertRoom(pack, given)
    const items = Array.from({ length: settings.variations }, (_, variation) =>
      this.library.add(
        {
          title: name ?? titleOf(pack, settings, given),
          ...form(pack),
          settings,
          variation,
          given: given.length,
          bytes: given.length,
          bitsPerByte: 0,
          favourite: false,
          status: "running",
          ...(parent ? { parent } : {}),
          ...(asked.run ? { run: asked.run } : {}),
        },
        given,
      ),
    )
    const run = asked.run ?? items[0]?.id
    const together = items.map((item) => (run && items.length > 1 ? this.library.update(item.id, { run }) : item))
    for (const item of together) this.tellItem(item)
    await this.write(together, folder, pack, given, settings, lengthOf(pack, settings))
  }

  private async goOn(id: string, wanted: Pick<Settings, "length" | "untilEnd">): Promise<void> {
    this.assertIdle()
    const item = this.library.get(id)
    const folder = findPack(item.settings.pack, this.places)
    const pack = readPack(folder)
    const { bytes } = this.library.read(id)
    assertRoom(pack, bytes)
    const running = this.library.update(id, { status: "running" })
    this.tellItem(running)
    // What the model wrote goes on as if it had never been stopped, in the middle of a word too.
    const settings = { ...item.settings, untilEnd: wanted.untilEnd, withinWord: true }
    await this.write([running], folder, pack, bytes, settings, lengthOf(pack, wanted))
  }

  /** Decodes into items that all begin with `prompt`, sends patches as they finish, saves every second. */
  private async write(
    items: Item[],
    folder: string,
    pack: Pack,
    prompt: Uint8Array,
    settings: Settings,
    wanted: number,
  ) {
    const { header: _, room, ...bounds } = documentBounds(pack, prompt, settings)
    const length = Math.min(wanted, room)
    const unit = lengthUnit(pack)
    const writing: Writing[] = items.map((item) => {
      const made = item.bytes - item.given
      return { id: item.id, unsent: fresh(), unsaved: fresh(), bytes: made, nats: made * item.bitsPerByte * Math.LN2 }
    })
    const total = bounds.stopAt === undefined ? length : 0
    const live = { ids: items.map((i) => i.id), total, made: 0, unit }
    this.live = live
    this.tell({ type: "run", ...live })
    const sendAll = () => {
      const parts = writing.filter((w) => w.unsent.bytes.length)
      if (!parts.length) return
      this.tell({
        type: "patches",
        parts: parts.map((w) => ({ id: w.id, bytes: base64(w.unsent.bytes), bits: w.unsent.bits })),
      })
      live.made += Math.max(...parts.map((w) => lengthIn(unit, w.unsent.bytes)))
      for (const w of parts) w.unsent = fresh()
    }
    const saveAll = () => {
      for (const w of writing) {
        if (w.unsaved.bytes.length) this.library.append(w.id, Uint8Array.from(w.unsaved.bytes), w.unsaved.bits)
        w.unsaved = fresh()
      }
    }
    this.settle = () => {
      sendAll()
      saveAll()
    }
    const frames = setInterval(sendAll, FRAME)
    const flushes = setInterval(saveAll, FLUSH)
    let reason: "length" | "end" | "cancelled" | "failed" = "failed"
    let stopped = false
    this.running = {
      cancel: () => {
        stopped = true
      },
    }
    let crashed = false
    let target: Awaited<ReturnType<Studio["target"]>> | undefined
    try {
      target = await this.target(folder)
      const { device } = target
      const run = this.client().generate(
        {
          ...target,
          ...bounds,
          isText: bounds.isText && !settings.withinWord,
          length,
          unit,
          variations: items.length,
          seed: settings.seed,
          sampling: settings.sampling,
        },
        {
          loaded: () => this.tell({ type: "phase", phase: "reading" }),
          started: () => this.tell({ type: "phase", phase: "writing", device }),
          fallback: (text) => this.tell({ type: "notice", kind: "info", text }),
          patch: ({ parts }) => {
            parts.forEach((part, i) => {
              const w = writing[i] as Writing
              const bits = bitsOf(part.logprob)
              for (const p of [w.unsent, w.unsaved]) {
                p.bytes.push(...part.bytes)
                p.bits.push(...bits)
              }
              w.bytes += part.bytes.length
              w.nats -= part.logprob.reduce((a, x) => a + x, 0)
            })
          },
        },
      )
      this.running = run
      if (stopped) run.cancel()
      reason = (await run.result).reason
      if (reason === "end" && writing.every((w, i) => w.bytes === (items[i] as Item).bytes - (items[i] as Item).given))
        this.tell({ type: "notice", kind: "info", text: "The model ends the text right there. Set a length to go on." })
    } catch (error) {
      // A driver that takes the engine with it is left alone until the app starts anew.
      crashed = this.engine?.isDead === true && target !== undefined && target.device !== "cpu"
      if (crashed) this.gpuFailed = true
      const why = (error as Error).message
      const text = crashed
        ? "The GPU's driver ended the engine; nothing is lost, the processor goes on from the last patch."
        : `${why} Continue goes on from the last patch.`
      this.tell({ type: "notice", kind: crashed ? "info" : "problem", text })
    } finally {
      clearInterval(frames)
      clearInterval(flushes)
      this.running = undefined
      this.live = undefined
      this.settle()
      this.settle = () => {}
      for (const w of writing) await this.saveFile(w.id, pack, settings)
      const status = reason === "cancelled" ? "stopped" : reason === "failed" ? "interrupted" : "done"
      items.forEach((item, i) => {
        const w = writing[i] as Writing
        const bitsPerByte = w.bytes ? w.nats / Math.LN2 / w.bytes : 0
        this.tellItem(this.library.update(item.id, { status, bytes: item.given + w.bytes, bitsPerByte }))
      })
      this.tell({ type: "finished", reason })
      this.placements.resume()
    }
    if (crashed && !stopped) await this.goOnAfterCrash(items, folder, pack, settings, length)
  }

  /** Each item in its turn, as they no longer have one beginning. `length`: what each was to get. */
  private async goOnAfterCrash(items: Item[], folder: string, pack: Pack, settings: Settings, length: number) {
    for (const { id, bytes: before } of items) {
      const { bytes } = this.library.read(id)
      const left = length - lengthIn(lengthUnit(pack), bytes.subarray(before))
      if (left <= 0) continue
      const item = this.library.update(id, { status: "running" })
      this.tellItem(item)
      await this.write([item], folder, pack, bytes, { ...settings, withinWord: true }, left)
    }
  }

  /** The ordinary file of what has been made so far, where that is not its bytes as they are. */
  private async saveFile(id: string, pack: Pack, settings: Settings | undefined): Promise<void> {
    const [form] = Object.keys(modalities[pack.modality].forms)
    if (!documentsOf(pack).files.raw || !form) return
    const file = await media[pack.modality].write(form, this.library.read(id).bytes, pack, { settings })
    this.library.writeFile(id, file)
  }

  /** Scores a file into an item whose bits are there from its first byte on. */
  private async score(packName: string, name: string, bytes: Uint8Array): Promise<void> {
    this.assertIdle()
    const folder = findPack(packName, this.places)
    const pack = readPack(folder)
    this.tell({ type: "run", ids: [], total: bytes.length, made: 0, unit: "bytes" })
    this.running = { cancel: () => {} } // until there is something to cancel
    let reason: "length" | "cancelled" | "failed" = "failed"
    try {
      const { bytes: all, header } = wholeDocument(pack, bytes)
      const target = await this.target(folder)
      this.tell({ type: "phase", phase: "reading" })
      const run = this.client().score({ ...target, bytes: all }, undefined, (text) =>
        this.tell({ type: "notice", kind: "info", text }),
      )
      this.running = run
      const { logprob } = await run.result
      const bits = bitsOf(logprob.subarray(header))
      const mean = bits.reduce((a, b) => a + b, 0) / Math.max(1, bits.length)
      const settings: Settings = {
        pack: packName,
        length: documentsOf(pack).usualLength,
        seed: 0,
        variations: 1,
        sampling: defaultSampling,
        style: 0,
      }
      const item = this.library.add(
        {
          title: `Score of ${name}`,
          ...form(pack),
          settings,
          variation: 0,
          given: 0,
          bytes: bits.length,
          bitsPerByte: mean,
          favourite: false,
          status: "done",
          scored: true,
        },
        new Uint8Array(),
      )
      this.library.append(item.id, bytes.subarray(0, bits.length), bits)
      await this.saveFile(item.id, pack, undefined)
      this.tellItem(item)
      this.tell({ type: "run", ids: [item.id], total: bits.length, made: 0, unit: "bytes" })
      reason = bits.length < bytes.length ? "cancelled" : "length"
    } finally {
      this.running = undefined
      this.tell({ type: "finished", reason })
      this.placements.resume()
    }
  }

  close(): void {
    this.running?.cancel()
    this.placements.pause()
    this.engine?.close()
    this.media.close()
  }
}

/** How much to make: what was asked for, or a text until its end. */
const lengthOf = (pack: Pack, { length, untilEnd }: Pick<Settings, "length" | "untilEnd">) =>
  untilEnd && documentsOf(pack).endMark !== undefined ? LONGEST_TEXT : length

/** What is asked of a file that was dropped. */
type Opening = Pick<Extract<Command, { type: "open" }>, "name" | "pack" | "framing">

const lengthUnit = (pack: Pack): LengthUnit => modalities[pack.modality].lengthUnit

/** Nats to bits, to a thousandth: what a window shows and the library keeps. */
const bitsOf = (logprob: Float32Array) => Array.from(logprob, (x) => Math.round((-x / Math.LN2) * 1000) / 1000)

/** Modality of a pack's items, and the names of their files. */
const form = (pack: Pack): Pick<Item, "modality" | "file" | "raw"> => ({
  modality: pack.modality,
  ...documentsOf(pack).files,
})

/** @throws Error when there is nothing left to generate */
function assertRoom(pack: Pack, given: Uint8Array): void {
  if (roomAfter(pack, given.length) <= 0)
    throw new Error("The picture is complete; choose an earlier row to go on from. Nothing has changed.")
}

/** A title from the beginning of what was given, or from the style. */
function titleOf(pack: Pack, settings: Settings, given: Uint8Array): string {
  const { noun, typed } = modalities[pack.modality]
  const style = settings.style ? documentsOf(pack).styles[settings.style] : undefined
  if (!typed) return style ? `A ${noun}: ${style}` : `A ${noun}`
  const text = new TextDecoder().decode(given.subarray(0, 300)).replace(/\s+/g, " ").trim()
  return text ? text.slice(0, 60) : "Untitled"
}
