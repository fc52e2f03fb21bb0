import type { Settings } from "../../contract/app.ts"
import { isWithinWord } from "../../contract/characters.ts"
import { hasCode } from "../../contract/errors.ts"
import { rowBytes } from "../../contract/pack.ts"
import type { Params } from "../../contract/rpc.ts"
import type { Given, WindowProtocol } from "../../contract/window.ts"
import type { Content } from "../lib/content.ts"
import { givenOf, pictureDraft } from "../lib/pixels.ts"
import type { Core } from "./core.ts"
import type { Drafts } from "./drafts.ts"
import { isTyped, packOf, usualSettings } from "./packs.ts"
import { begun, emptyDraft, newSeed } from "./state.ts"
import { runOf } from "./works.ts"

const utf8 = (text: string) => new TextEncoder().encode(text)

/** Bytes that two beginnings share. */
export function sharedBytes(a: Uint8Array, b: Uint8Array): number {
  let same = 0
  while (same < Math.min(a.length, b.length) && a[same] === b[same]) same++
  return same
}

/** What begins, goes on, branches, scores and stops. `refused` hears of what the host does not begin. */
export function createRuns(core: Core, drafts: Drafts, refused: () => void) {
  const { get, set, ask, host, tell } = core
  /** What the run that was asked for begins with: shown before the host has read it. */
  let asked: Uint8Array | undefined

  /**
   * Asks for a run; until the host tells of it nothing else can be begun.
   * @param given the bytes that it begins with, which are sent where the host no longer has what they were named by
   */
  const begin = <N extends "generate" | "continue" | "score">(
    name: N,
    params: Params<WindowProtocol, N>,
    given?: Uint8Array,
  ) => {
    asked = name === "generate" ? given : undefined
    set({
      run: begun({ ids: [], total: 0, made: 0, unit: "bytes", asked: true }),
      surprise: false,
      patch: undefined,
      alternatives: undefined,
      view: "work",
    })
    const withBytes = (error: unknown) => {
      if (!given || !hasCode(error, "gone")) throw error
      return host.call(name, { ...params, given })
    }
    host
      .call(name, params)
      .catch(withBytes)
      .catch((error: unknown) => {
        if (hasCode(error, "closed")) return // the host says what is on once it is there again
        // The draft is in no item.
        if (get().run?.asked) set((s) => ({ run: undefined, draft: { ...s.draft, typed: s.draft.text !== "" } }))
        tell(error)
        refused()
      })
  }

  /** The canonical bytes of the draft, up to `caret`, the chosen row or the chosen time. */
  const given = (caret?: number): Uint8Array => {
    const { draft } = get()
    const pack = packOf(get())
    if (draft.media && pack?.canvas) return givenOf(draft.media, pack.canvas)
    if (pack && !isTyped(pack.modality)) return draft.media?.bytes.subarray(0, draft.media.kept) ?? new Uint8Array()
    return utf8(caret === undefined ? draft.text : draft.text.slice(0, caret))
  }

  /** The draft's bytes by the host's own name for them, where it has them: as they were opened, up to any place. */
  const named = (bytes: Uint8Array, text = ""): Given => {
    const { opened, media } = get().draft
    const isThere = opened && (media ? media.bytes === opened.bytes : opened.text.startsWith(text))
    return isThere ? { document: opened.document, length: bytes.length } : bytes
  }

  /** Settings for a new generation: a fresh seed unless it is held. */
  const nextSettings = (): Settings => {
    const { settings, fixedSeed } = get()
    const next = fixedSeed ? settings : { ...settings, seed: newSeed() }
    set({ settings: next })
    return next
  }

  const contentAndItem = (id: string) => {
    const [item, content] = [get().items.get(id), get().contents.get(id)]
    return item && content && !get().run ? { item, content } : undefined
  }

  const actions = {
    /** The beginning of the run that was asked for, once. */
    takeAsked(): Uint8Array | undefined {
      const bytes = asked
      asked = undefined
      return bytes
    },

    /** Goes on after the draft; in a text, after the caret. */
    generate() {
      const { run, draft } = get()
      if (run) return
      const bytes = given(draft.caret)
      const rest = draft.caret === undefined ? "" : draft.text.slice(draft.caret)
      const parent = draft.parent && { ...draft.parent, at: Math.min(draft.parent.at, bytes.length) }
      // What comes after the caret is in no item: it can be brought back.
      if (draft.typed && rest.trim()) drafts.putAway(draft, get().settings.pack)
      set({ draft: { ...draft, typed: false } })
      const title = draft.media && draft.name ? { name: draft.name } : {}
      const kept = draft.caret === undefined ? draft.text : draft.text.slice(0, draft.caret)
      const withinWord = (rest !== "" && isWithinWord(kept, rest)) || draft.text === draft.made
      const settings = { ...nextSettings(), withinWord, columns: draft.media?.columns }
      begin("generate", { settings, given: named(bytes, kept), ...title, ...(parent ? { parent } : {}) }, bytes)
    },

    /** Eight pictures that begin with what is kept of the draft's. */
    makeEight() {
      drafts.setSettings({ variations: 8 })
      actions.generate()
    },

    /** What Ctrl+Enter means: go on with what is in the document. */
    goAhead() {
      const { chosen, editing, draft } = get()
      if (chosen && !editing) {
        actions.goOn(chosen)
        return
      }
      const origin = draft.parent && get().items.get(draft.parent.id)
      const alike = Boolean(origin?.settings.columns) === Boolean(draft.media?.columns)
      const before = draft.parent && alike ? get().contents.get(draft.parent.id) : undefined
      const same = before && sharedBytes(before.bytes, given())
      const whole = before && same === before.length && given().length === before.length
      const atEnd = draft.caret === undefined || draft.caret >= draft.text.length
      if (whole && atEnd && draft.parent) {
        actions.goOn(draft.parent.id)
        return
      }
      if (draft.parent && same !== undefined) set({ draft: { ...draft, parent: { ...draft.parent, at: same } } })
      actions.generate()
    },

    /** Goes on after an item's end: in the item itself, or with several futures in a branch of their own. */
    goOn(id: string) {
      const { settings, run, items } = get()
      const item = items.get(id)
      if (!item || run) return
      const alike = JSON.stringify(item.settings.sampling) === JSON.stringify(settings.sampling)
      if (settings.variations === 1 && (alike || settings.pack !== item.settings.pack) && !item.scored)
        begin("continue", { id, length: settings.length, untilEnd: settings.untilEnd })
      else actions.branch(id, get().contents.get(id)?.length ?? 0)
    },

    /** Futures from byte `at` of an item on; with `instead` that byte stands there. */
    branch(id: string, at: number, instead?: number) {
      const both = contentAndItem(id)
      if (!both) return
      const before = both.content.bytes.subarray(0, at)
      const bytes = instead === undefined ? before : Uint8Array.of(...before, instead)
      const settings = { ...settingsLike(id), withinWord: true }
      begin("generate", { settings, given: { item: id, length: at, next: instead }, parent: { id, at } }, bytes.slice())
    },

    /** More futures of an item's run, from the same beginning with another seed. */
    more(id: string) {
      const both = contentAndItem(id)
      if (!both) return
      const { item, content } = both
      const bytes = content.bytes.slice(0, item.given)
      const run = runOf(item)
      const parent = item.parent ? { parent: item.parent } : {}
      const settings = { ...settingsLike(id), withinWord: item.settings.withinWord }
      begin("generate", { settings, given: { item: id, length: bytes.length }, run, ...parent }, bytes)
    },

    /** A work that begins at once, from a card of the first screen. */
    beginWith(pack: string, text: string, style: number): void {
      if (get().run) return
      drafts.setPack(pack)
      drafts.replaceDraft({ ...emptyDraft, text })
      drafts.setSettings({ style })
      actions.generate()
    },

    scoreDraft(): void {
      const { draft, settings, run } = get()
      const bytes = draft.media?.bytes ?? given()
      if (!bytes.length || run) return
      const name = draft.name || "the prompt"
      set({ draft: { ...draft, typed: false } })
      begin("score", { pack: settings.pack, name, given: named(bytes, draft.text) }, bytes)
    },
    stop: () => ask("stop", {}),

    /** What else could have stood in a patch, by the model's own probabilities. */
    askAlternatives(id: string, patch: number): void {
      const { items, packs, run } = get()
      const pack = packs.find((p) => p.name === items.get(id)?.settings.pack)
      if (!pack || run) return
      const at = patch * pack.patch
      void ask("alternatives", { id, at }, (bytes) => id === get().chosen && set({ alternatives: { id, at, bytes } }))
    },

    /** Puts an item's whole content into the draft, to be changed in its place. */
    edit(id: string) {
      const item = get().items.get(id)
      const bytes = get().contents.get(id)?.bytes
      if (!item || !bytes) return
      drafts.setPack(item.settings.pack)
      const pack = packOf(get())
      const parent = { id, at: bytes.length }
      if (isTyped(item.modality)) {
        const text = new TextDecoder().decode(bytes)
        drafts.replaceDraft({ ...emptyDraft, text, made: text, parent })
        return set({ editing: true })
      }
      const media = pack?.canvas
        ? pictureDraft(bytes, pack.canvas, item.settings.columns)
        : { bytes: bytes.slice(), kept: bytes.length }
      drafts.replaceDraft({ ...emptyDraft, media, parent, name: item.title })
      set({ shown: [], chosen: undefined, patch: undefined, view: "work" })
    },
  }

  /** Settings of the next generation, with the pack and the style of an item. */
  function settingsLike(id: string): Settings {
    const item = get().items.get(id)
    const pack = get().packs.find((p) => p.name === item?.settings.pack)
    const next = nextSettings()
    if (!item || !pack || item.settings.pack === next.pack)
      return { ...next, style: item?.settings.style ?? next.style, columns: item?.settings.columns }
    const { style, columns } = item.settings
    return { ...usualSettings(pack), style, columns, seed: next.seed, variations: next.variations }
  }

  return actions
}

/** Bytes of a dropped picture or sound that are kept at first: half the rows, or all. */
export function keptAtFirst(content: Uint8Array, canvas: Parameters<typeof rowBytes>[0] | undefined): number {
  return canvas ? Math.floor(canvas.height / 2) * rowBytes(canvas) : content.length
}

export type Runs = ReturnType<typeof createRuns>
export type { Content }
