import type { AppEvent } from "../../contract/app.ts"
import { lengthIn } from "../../contract/characters.ts"
import { download, fileName } from "../lib/bytes.ts"
import { Content } from "../lib/content.ts"
import type { Core } from "./core.ts"
import type { Drafts } from "./drafts.ts"
import type { Files } from "./files.ts"
import type { LibraryActions } from "./library.ts"
import { isTyped, packOf } from "./packs.ts"
import { keptAtFirst, type Runs } from "./runs.ts"
import { begun, emptyDraft } from "./state.ts"
import type { Uploads } from "./uploads.ts"
import { futuresOf } from "./works.ts"

type Of<T extends AppEvent["type"]> = Extract<AppEvent, { type: T }>
type Parts = { core: Core; drafts: Drafts; runs: Runs; library: LibraryActions; files: Files; uploads: Uploads }

/** Takes the host's events, one after the other. */
export function createReceiver({ core, drafts, runs, library, files, uploads }: Parts) {
  const { get, set, send, notify } = core

  const contentOf = (id: string) => new Content(isTyped(get().items.get(id)?.modality ?? "text"))

  /** The packs there are; another one is chosen where the chosen one has gone. */
  const withPacks = (packs: AppEvent & { type: "packs" | "state" }) => {
    set({ packs: packs.packs })
    const first = packs.packs.find((p) => !p.problem)
    if (!packOf(get()) && first) drafts.setPack(first.name)
  }

  function state(event: Of<"state">): void {
    const { packs, folder, preferences } = event
    const begins = !get().packs.length
    // Stop works also before the run is told of again.
    const run = event.running ? get().run : undefined
    set({ connected: true, run, folder, preferences, items: new Map(), previews: new Map() })
    withPacks(event)
    if (begins) {
      drafts.setPack(packs.some((p) => p.name === preferences.pack && !p.problem) ? preferences.pack : "")
      if (event.draft) {
        const text = packs.find((p) => p.modality === "text" && !p.problem)
        if (text && packOf(get())?.modality !== "text") drafts.setPack(text.name)
        drafts.setDraft({ text: event.draft })
      }
    }
    // After a lost connection what was shown may have gaps: it is read again.
    get().contents.clear()
    for (const id of get().shown) send({ type: "read", id })
  }

  /** A run began, or is on when a window comes. What this window asked for is shown before the host has read it. */
  function run({ ids, total, made, unit }: Of<"run">): void {
    const [first] = ids
    const asked = runs.takeAsked()
    if (asked && made === 0)
      for (const id of ids) {
        const content = contentOf(id)
        content.append(asked, new Float32Array(asked.length).fill(-1))
        get().contents.set(id, content)
      }
    const item = first === undefined ? undefined : get().items.get(first)
    set((s) => ({
      run: begun({ ids, total, made, unit, asked: false }),
      ...(first === undefined
        ? {}
        : {
            shown: item ? futuresOf(s.items, first).map((f) => f.id) : ids,
            chosen: first,
            editing: false,
            view: "work" as const,
            surprise: item?.scored ?? false,
          }),
    }))
    for (const id of get().shown) if (!get().contents.has(id)) send({ type: "read", id })
  }

  function patches(event: Of<"patches">): void {
    const { run, contents } = get()
    let [bytes, made] = [0, 0]
    for (const part of event.parts) {
      const fresh = part.bytes
      bytes = Math.max(bytes, fresh.length)
      made = Math.max(made, lengthIn(run?.unit ?? "bytes", fresh))
      contents.get(part.id)?.append(fresh, part.bits)
    }
    set((s) => ({
      version: s.version + 1,
      run: s.run && {
        ...s.run,
        bytes: s.run.bytes + bytes,
        made: s.run.made + made,
        firstPatch: s.run.firstPatch ?? performance.now() - s.run.began,
      },
    }))
  }

  function opened(event: Of<"opened">): void {
    const { name, note, settings, bytes } = event
    set({ opening: undefined })
    drafts.setPack(event.pack)
    if (settings) {
      set((s) => ({ settings: { ...settings, pack: s.settings.pack }, fixedSeed: true }))
      notify("info", "It was made here: its settings are restored, and its seed is locked.")
    }
    const canvas = get().packs.find((p) => p.name === event.pack)?.canvas
    const text = !isTyped(event.modality) ? "" : new TextDecoder().decode(bytes)
    drafts.replaceDraft(
      !isTyped(event.modality)
        ? { ...emptyDraft, name, note, media: { bytes, kept: keptAtFirst(bytes, canvas) }, ...framed(event) }
        : { ...emptyDraft, name, note, text, ...(settings ? { made: text } : {}) },
    )
    set({ shown: [], chosen: undefined, view: "work", patch: undefined, surprise: false })
    if (files.isOneOfSeveral()) runs.generate()
  }

  /** The file of a picture that can be framed in another way. */
  const framed = ({ name, adjustable }: Of<"opened">) => {
    const read = files.lastRead(name)
    return read && (adjustable?.crop || adjustable?.dither) ? { file: { ...read, adjustable } } : {}
  }

  function content(event: Of<"content">): void {
    const whole = contentOf(event.id)
    whole.append(event.bytes, event.bits)
    get().contents.set(event.id, whole)
    set((s) => ({ version: s.version + 1 }))
  }

  function notice(event: Of<"notice">): void {
    if (event.kind === "problem") {
      set({ opening: undefined })
      // What was asked for is refused: the draft is in no item.
      if (get().run?.asked) set((s) => ({ run: undefined, draft: { ...s.draft, typed: s.draft.text !== "" } }))
    }
    notify(event.kind, event.text, undefined, undefined, event.details)
    if (event.kind === "problem") void files.next()
  }

  const handlers: { [T in AppEvent["type"]]: (event: Of<T>) => void } = {
    state,
    packs: withPacks,
    items: (event) => library.take(event.items),
    item: (event) => library.take([event.item]),
    gone: (event) => library.gone(event.id),
    run,
    phase: (event) => set((s) => ({ run: s.run && { ...s.run, phase: event.phase }, ranOn: event.device ?? s.ranOn })),
    devices: (event) => set({ devices: event.devices }),
    patches,
    finished: () => {
      set({ run: undefined })
      void files.next()
    },
    content,
    previews: (event) => library.takePreviews(event.previews),
    found: (event) => event.query === get().search.trim() && set({ found: new Set(event.ids) }),
    alternatives: (event) => event.id === get().chosen && set({ alternatives: event }),
    taken: (event) => uploads.taken(event.file, event.kept),
    opened,
    exported: (event) => download(fileName(event.title, event.extension), event.mime, event.bytes),
    notice,
  }
  return (event: AppEvent): void => (handlers[event.type] as (event: AppEvent) => void)(event)
}
