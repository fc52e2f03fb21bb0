import { type Alternative, type Item, LONGEST_TEXT, type Settings } from "../../contract/app.ts"
import { type LengthUnit, lengthIn } from "../../contract/characters.ts"
import { hasCode } from "../../contract/errors.ts"
import { modalities } from "../../contract/modality/index.ts"
import { documentsOf, type Pack, textOf } from "../../contract/pack.ts"
import { headingOf, titleFrom, UNTITLED } from "../../contract/title.ts"
import type { AppEvent, Asked, Content } from "../../contract/window.ts"
import { documentBounds, readPack, roomAfter, wholeDocument } from "../packs/read.ts"
import type { EngineService } from "./engine/service.ts"
import { sentenceOf } from "./errors.ts"
import { formOf, saveFile, titleOf } from "./exports.ts"
import type { Library } from "./library.ts"
import { type AppPaths, findPack } from "./packs/find.ts"
import { bitsOf, Recorder } from "./recorder.ts"
import { mayBeRemade, remade } from "./remake.ts"
import { addScore, untilKept } from "./scored.ts"
import { type Stopped, Turn } from "./turn.ts"
import type { Windows } from "./windows.ts"

/** Likeliest bytes that are told of each place of a patch. */
const ALTERNATIVES = 5

/** Times that a run is taken up again after the engine was silent. */
const RESTARTS = 3

type Reason = "length" | "end" | "cancelled" | "failed"
/** A pack and the folder that it is in. */
type Loaded = { folder: string; pack: Pack }

/** What is asked of the engine, one thing at a time: generating, going on, scoring, looking at alternatives. */
export class Generation {
  private readonly turn = new Turn()
  private recorder: Recorder | undefined
  private restarts = 0
  /** The run that is on. */
  private live: { ids: string[]; total: number; unit: LengthUnit } | undefined

  /** @param library as it is now */
  constructor(
    private readonly engine: EngineService,
    private readonly windows: Windows,
    private readonly places: AppPaths,
    private readonly library: () => Library,
  ) {}

  get isIdle(): boolean {
    return this.turn.isFree
  }

  /** @throws Error with a line for a person */
  assertIdle(): void {
    this.turn.assertFree()
  }

  cancel(): void {
    this.turn.cancel()
  }

  /** Sends and saves what is pending, so that what is read next is whole. */
  flush(): void {
    this.recorder?.flush()
  }

  /** The run that is on, for a window that comes in the middle. */
  current(): AppEvent[] {
    if (!this.live) return []
    return [
      { type: "run", ...this.live, made: this.recorder?.made ?? 0 },
      { type: "phase", phase: "writing" },
    ]
  }

  private load(name: string): Loaded {
    const folder = findPack(name, this.places)
    return { folder, pack: readPack(folder) }
  }

  /** New items after `given`, one a variation. */
  async generate(asked: Omit<Asked<"generate">, "given"> & { given: Uint8Array }): Promise<void> {
    this.assertIdle()
    this.restarts = 0
    const { settings, name, parent } = asked
    const loaded = this.load(settings.pack)
    const { given } = asked
    assertRoom(loaded.pack, given)
    const library = this.library()
    // A branch is a version of what it goes on from.
    const titleOfParent = parent && library.list().find(({ id }) => id === parent.id)?.title
    const items = addAll(library, settings.variations, (variation) =>
      library.add(
        {
          title: name ?? titleOfParent ?? titleOf(loaded.pack, settings, given),
          ...formOf(loaded.pack),
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
    const together = items.map((item) => (run && items.length > 1 ? library.updateLater(item.id, { run }) : item))
    for (const item of together) this.windows.broadcast({ type: "item", item })
    await this.write(together, loaded, given, settings, lengthOf(loaded.pack, settings))
  }

  /** More of an item, in the item itself. */
  async continueItem(id: string, wanted: Pick<Settings, "length" | "untilEnd">): Promise<void> {
    this.assertIdle()
    this.restarts = 0
    const { settings } = this.library().get(id)
    const loaded = this.load(settings.pack)
    assertRoom(loaded.pack, this.library().read(id).bytes)
    const how = { ...settings, untilEnd: wanted.untilEnd }
    await this.writeMore(id, loaded, how, lengthOf(loaded.pack, wanted))
  }

  /** What the model wrote goes on as if it had never been stopped, in the middle of a word too. */
  private async writeMore(id: string, loaded: Loaded, settings: Settings, length: number): Promise<void> {
    const { bytes } = this.library().read(id)
    const item = this.library().update(id, { status: "running" })
    this.windows.broadcast({ type: "item", item })
    await this.write([item], loaded, bytes, { ...settings, withinWord: true }, length)
  }

  /** Decodes into items that all begin with `prompt`; where a GPU's driver crashes the processor goes on. */
  private async write(
    items: Item[],
    loaded: Loaded,
    prompt: Uint8Array,
    settings: Settings,
    wanted: number,
    isAgain = false,
  ): Promise<Reason> {
    const { folder, pack } = loaded
    const { room, ...bounds } = documentBounds(pack, prompt, settings)
    const length = Math.min(wanted, room)
    const unit = modalities[pack.modality].lengthUnit
    const library = this.library()
    const recorder = new Recorder(items, unit, library, this.windows)
    this.recorder = recorder
    this.live = { ids: items.map((i) => i.id), total: bounds.stopAt === undefined ? length : 0, unit }
    this.windows.broadcast({ type: "run", ...this.live, made: 0 })
    const stopped = this.turn.begin()
    let reason: Reason = "failed"
    let crashed = false
    try {
      const decoded = this.decode(folder, bounds, items, { settings, length, unit }, recorder, stopped)
      // Before there is a run, while devices are measured, nothing needs to be waited for.
      reason = await Promise.race([decoded, stopped.early])
    } catch (error) {
      const isHung = hasCode(error, "hung") && this.restarts++ < RESTARTS
      crashed = hasCode(error, "driver") || isHung
      if (crashed) {
        const next = isHung ? "It was started again and continues" : "The processor continues"
        this.windows.notice("info", `${(error as Error).message} ${next} from the last patch.`)
      } else this.windows.notice("problem", `${sentenceOf(error)} Continue picks up from the last patch.`)
    } finally {
      const status = reason === "cancelled" ? "stopped" : reason === "failed" ? "interrupted" : "done"
      // With the disk full the end waits for room, or for a person who has had enough.
      const enough = stopped() || reason === "cancelled" ? () => true : this.turn.begin()
      await recorder.end(status, (id) => saveFile(library, id, pack, settings), enough)
      this.turn.end()
      this.live = undefined
      this.recorder = undefined
      this.windows.broadcast({ type: "finished", reason })
    }
    if (crashed && !stopped()) await this.writeRest(items, loaded, settings, length)
    // What was there before this run is not thrown away.
    const isFresh = prompt.length === items[0]?.given
    if (!isAgain && isFresh && mayBeRemade(reason, settings.sampling)) await this.remakeFlawed(items, loaded)
    this.entitle(items, pack)
    return reason
  }

  /** Makes each worthless item again, from what was given on, with the next seeds; it keeps the last. */
  private async remakeFlawed(items: Item[], loaded: Loaded): Promise<void> {
    const library = this.library()
    const say = (line: string) => this.windows.notice("info", line)
    for (const { id } of items) {
      const { status, given, settings } = library.get(id)
      // Of one that could not be saved there is nothing to look at.
      if (status !== "done") continue
      const first = { bytes: library.read(id).bytes, seed: settings.seed }
      await remade(loaded.pack, given, first, (seed) => this.writeAgain(id, loaded, seed), say)
    }
  }

  /** Makes an item again with another seed. Returns its bytes where it came to its end. */
  private async writeAgain(id: string, loaded: Loaded, seed: number): Promise<Buffer | undefined> {
    const library = this.library()
    const { given, settings: before } = library.get(id)
    const settings = { ...before, seed, variations: 1 }
    library.truncate(id, given)
    const item = library.update(id, { settings, bytes: given, bitsPerByte: 0, status: "running" })
    this.windows.broadcast({ type: "item", item })
    this.windows.broadcast({ type: "content", ...contentOf(library, id) })
    const reason = await this.write([item], loaded, library.read(id).bytes, settings, settings.length, true)
    return reason === "length" && library.get(id).status === "done" ? library.read(id).bytes : undefined
  }

  /** Stories that were begun without a word go by the title that they begin with. */
  private entitle(items: readonly Item[], pack: Pack): void {
    if (!textOf(pack)?.header) return
    const library = this.library()
    for (const { id } of items) {
      const { title: own, status } = library.get(id)
      // What the disk did not take cannot be read.
      if (own !== UNTITLED || status === "interrupted") continue
      const title = headingOf(library.read(id).bytes.toString("utf8", 0, 400))
      if (title) this.windows.broadcast({ type: "item", item: library.updateLater(id, { title: titleFrom(title) }) })
    }
  }

  private decode(
    folder: string,
    bounds: Omit<ReturnType<typeof documentBounds>, "room">,
    items: readonly Item[],
    { settings, length, unit }: { settings: Settings; length: number; unit: LengthUnit },
    recorder: Recorder,
    stopped: Stopped,
  ): Promise<Reason> {
    const { seed, sampling, withinWord } = settings
    const { header, ...prompt } = bounds
    const began = header + (items[0]?.given ?? 0)
    const isText = bounds.isText && !withinWord
    return this.engine.run(folder, async (client, target) => {
      if (stopped()) return "cancelled"
      const { device } = target
      const run = client.generate(
        { ...target, ...prompt, began, isText, length, unit, variations: items.length, seed, sampling },
        {
          loaded: () => this.windows.broadcast({ type: "phase", phase: "reading" }),
          started: () => this.windows.broadcast({ type: "phase", phase: "writing", device }),
          fallback: (text) => this.windows.notice("info", text),
          patch: ({ parts }) => recorder.take(parts),
        },
      )
      // Stop may come when the run has just ended, and the disk is still waited for.
      const cancel = () => {
        stopped.note()
        run.cancel()
      }
      this.turn.cancelBy(cancel)
      const { reason } = await run.result
      if (reason === "end" && recorder.isEmpty)
        this.windows.notice("info", "The model ends the text right there. Set a length to go on.")
      return reason
    })
  }

  /** Each item in its turn, as they no longer have one beginning. `length`: what each was to get. */
  private async writeRest(items: Item[], loaded: Loaded, settings: Settings, length: number): Promise<void> {
    const unit = modalities[loaded.pack.modality].lengthUnit
    for (const { id, bytes: before } of items) {
      const left = length - lengthIn(unit, this.library().read(id).bytes.subarray(before))
      if (left > 0) await this.writeMore(id, loaded, settings, left)
    }
  }

  /** Scores `bytes` into an item whose bits are there from its first byte on. */
  async score(packName: string, name: string, bytes: Uint8Array): Promise<void> {
    this.assertIdle()
    const loaded = this.load(packName)
    this.windows.broadcast({ type: "run", ids: [], total: bytes.length, made: 0, unit: "bytes" })
    const stopped = this.turn.begin()
    let reason: Reason = "failed"
    try {
      const bits = await this.scoreBytes(loaded, bytes, stopped)
      const scored = bytes.subarray(0, bits.length)
      const enough = stopped() || bits.length < bytes.length ? () => true : this.turn.begin()
      const item = await untilKept(
        () => addScore(this.library(), loaded.pack, name, scored, bits),
        this.windows,
        enough,
      )
      await saveFile(this.library(), item.id, loaded.pack).catch((error) => this.windows.tellUnsaved(error))
      this.windows.broadcast({ type: "item", item })
      this.windows.broadcast({ type: "run", ids: [item.id], total: bits.length, made: 0, unit: "bytes" })
      reason = bits.length < bytes.length ? "cancelled" : "length"
    } finally {
      this.turn.end()
      this.windows.broadcast({ type: "finished", reason })
    }
  }

  /** Bits that a pack needs for the bytes of a document, all together. @throws where something is being made */
  async bitsFor(packName: string, bytes: Uint8Array): Promise<number> {
    this.assertIdle()
    try {
      const bits = await this.scoreBytes(this.load(packName), bytes, this.turn.begin())
      return bits.reduce((sum, x) => sum + x, 0)
    } finally {
      this.turn.end()
    }
  }

  /** Bits of each byte; on the processor where a GPU's driver crashes. */
  private async scoreBytes({ folder, pack }: Loaded, bytes: Uint8Array, stopped: () => boolean): Promise<number[]> {
    const { bytes: whole, header } = wholeDocument(pack, bytes)
    const once = () =>
      this.engine.run(folder, async (client, target) => {
        this.windows.broadcast({ type: "phase", phase: "reading" })
        const run = client.score({ ...target, bytes: whole }, { fallback: (text) => this.windows.notice("info", text) })
        this.turn.cancelBy(() => run.cancel())
        if (stopped()) run.cancel()
        return bitsOf((await run.result).logprob.subarray(header))
      })
    try {
      return await once()
    } catch (error) {
      if (!hasCode(error, "driver")) throw error
      this.windows.notice("info", `${error.message} The processor starts over.`)
      return once()
    }
  }

  /** What else could have stood in the patch of an item that begins at `at`. */
  async alternatives(id: string, at: number): Promise<Alternative[][]> {
    this.assertIdle()
    const { settings } = this.library().get(id)
    const { folder, pack } = this.load(settings.pack)
    const whole = this.library()
      .read(id)
      .bytes.subarray(0, at + pack.model.patch)
    if (whole.length <= at) throw new Error("There is nothing at that place.")
    const { prompt } = documentBounds(pack, whole, settings)
    const { bytes, shares } = await this.engine.run(folder, (client, target) =>
      client.alternatives({ ...target, bytes: prompt, count: ALTERNATIVES }),
    )
    return Array.from({ length: whole.length - at }, (_, place) =>
      Array.from({ length: ALTERNATIVES }, (_, i) => {
        const n = place * ALTERNATIVES + i
        return { byte: bytes[n] as number, share: Math.round((shares[n] as number) * 1e4) / 1e4 }
      }),
    )
  }
}

/** Adds the items of a run, all or none. */
function addAll(library: Library, count: number, add: (variation: number) => Item): Item[] {
  const items: Item[] = []
  try {
    for (let variation = 0; variation < count; variation++) items.push(add(variation))
  } catch (error) {
    for (const { id } of items) library.discard(id)
    throw error
  }
  return items
}

/** How much to make: what was asked for, or a text until its end. */
const lengthOf = (pack: Pack, { length, untilEnd }: Pick<Settings, "length" | "untilEnd">) =>
  untilEnd && documentsOf(pack).endMark !== undefined ? LONGEST_TEXT : length

/** @throws Error when there is nothing left to generate */
function assertRoom(pack: Pack, given: Uint8Array): void {
  if (roomAfter(pack, given.length) <= 0)
    throw new Error("The picture is complete; choose an earlier row to go on from.")
}

/** The bytes and bits of an item; bits of bytes that were given are negative. */
export function contentOf(library: Library, id: string): Content {
  const { bytes, bits } = library.read(id)
  return {
    id,
    bytes: new Uint8Array(bytes),
    bits: bits.map((b) => (Number.isNaN(b) ? -1 : b)),
  }
}
