import { lengthIn } from "../../contract/characters.ts"
import type { AppEvent } from "../../contract/window.ts"
import type { Contents } from "./contents.ts"
import type { Core } from "./core.ts"
import type { Drafts } from "./drafts.ts"
import type { Files } from "./files.ts"
import type { LibraryActions } from "./library.ts"
import { packOf } from "./packs.ts"
import type { Runs } from "./runs.ts"
import { begun } from "./state.ts"
import { futuresOf } from "./works.ts"

type Of<T extends AppEvent["type"]> = Extract<AppEvent, { type: T }>
type Parts = { core: Core; drafts: Drafts; runs: Runs; library: LibraryActions; files: Files; contents: Contents }

/** Takes the host's events, one after the other. */
export function createReceiver({ core, drafts, runs, library, files, contents }: Parts) {
  const { get, set, notify } = core

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
    for (const id of get().shown) void contents.read(id)
  }

  /** A run began, or is on when a window comes. What this window asked for is shown before the host has read it. */
  function run({ ids, total, made, unit }: Of<"run">): void {
    const [first] = ids
    const asked = runs.takeAsked()
    if (asked && made === 0)
      for (const id of ids) contents.take({ id, bytes: asked, bits: new Float32Array(asked.length).fill(-1) })
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
    for (const id of get().shown) if (!get().contents.has(id)) void contents.read(id)
  }

  function patches(event: Of<"patches">): void {
    const { run } = get()
    let [bytes, made] = [0, 0]
    for (const part of event.parts) {
      bytes = Math.max(bytes, part.bytes.length)
      made = Math.max(made, lengthIn(run?.unit ?? "bytes", part.bytes))
      get().contents.get(part.id)?.append(part.bytes, part.bits)
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

  const handlers: { [T in AppEvent["type"]]: (event: Of<T>) => void } = {
    state,
    packs: withPacks,
    items: (event) => library.take(event.items),
    item: (event) => library.take([event.item]),
    gone: (event) => library.gone(event.id),
    run,
    phase: (event) => set((s) => ({ run: s.run && { ...s.run, phase: event.phase }, ranOn: event.device ?? s.ranOn })),
    patches,
    finished: () => {
      set({ run: undefined })
      void files.next()
    },
    content: contents.take,
    opened: (event) => files.opened(event),
    notice: ({ kind, text, details }) => notify(kind, text, undefined, undefined, details),
  }
  return (event: AppEvent): void => (handlers[event.type] as (event: AppEvent) => void)(event)
}
