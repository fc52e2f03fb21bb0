import type { Settings } from "../../contract/app.ts"
import { type Beginner, nextSettings } from "./begin.ts"
import type { Core } from "./core.ts"
import { usualSettings } from "./packs.ts"
import { runOf } from "./works.ts"

/** Runs that go on from an item: at its end, at any byte of it, or from where it began. */
export function createItemRuns(core: Core, { begin }: Beginner) {
  const { get } = core

  const contentAndItem = (id: string) => {
    const [item, content] = [get().items.get(id), get().contents.get(id)]
    return item && content && !get().run ? { item, content } : undefined
  }

  const actions = {
    /** Goes on after an item's end: in the item itself, or with several futures in a branch of their own. */
    continueItem(id: string) {
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
      const bytes = new Uint8Array(before.length + (instead === undefined ? 0 : 1))
      bytes.set(before)
      if (instead !== undefined) bytes[before.length] = instead
      const settings = { ...settingsLike(id), withinWord: true }
      begin("generate", { settings, given: { item: id, length: at, next: instead }, parent: { id, at } }, bytes)
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
  }

  /** Settings of the next generation, with the pack and the style of an item. */
  function settingsLike(id: string): Settings {
    const item = get().items.get(id)
    const pack = get().packs.find((p) => p.name === item?.settings.pack)
    const next = nextSettings(core)
    if (!item || !pack || item.settings.pack === next.pack)
      return { ...next, style: item?.settings.style ?? next.style, columns: item?.settings.columns }
    const { style, columns } = item.settings
    return { ...usualSettings(pack), style, columns, seed: next.seed, variations: next.variations }
  }

  return actions
}
export type ItemRuns = ReturnType<typeof createItemRuns>
