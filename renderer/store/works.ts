import type { ListedItem } from "../../contract/app.ts"

/** A run's key: items that were made together share it. */
export const runOf = (item: ListedItem) => item.run ?? item.id

/** The order in which a run's futures stand: as they were made. */
export const byAge = (a: ListedItem, b: ListedItem) =>
  a.created - b.created || a.variation - b.variation || (a.id < b.id ? -1 : 1)

/** Everything that grew from one beginning, newest item first. */
export type Work = { root: string; items: ListedItem[]; newest: number; favourite: boolean }

/** The futures of an item's run, in their order. */
export function futuresOf(items: Map<string, ListedItem>, id: string): ListedItem[] {
  const item = items.get(id)
  if (!item) return []
  const run = runOf(item)
  return [...items.values()].filter((other) => runOf(other) === run).sort(byAge)
}

/** One step of the way to an item: a future of some run, and how many there are beside it. */
export type Step = { item: ListedItem; number: number; of: number }

/** The way from the beginning to an item: at each branch the future that was taken. */
export function wayTo(items: Map<string, ListedItem>, id: string): Step[] {
  const steps: Step[] = []
  const seen = new Set<string>()
  for (let at = items.get(id); at && !seen.has(at.id); at = at.parent && items.get(at.parent.id)) {
    seen.add(at.id)
    const futures = futuresOf(items, at.id)
    steps.unshift({ item: at, number: futures.findIndex((f) => f.id === at?.id) + 1, of: futures.length })
  }
  return steps
}

/** Runs that go on from an item: the first future of each, by age. */
export function branchesFrom(items: Map<string, ListedItem>, id: string): ListedItem[] {
  const first = new Map<string, ListedItem>()
  for (const item of [...items.values()].filter((i) => i.parent?.id === id).sort(byAge))
    if (!first.has(runOf(item))) first.set(runOf(item), item)
  return [...first.values()]
}

/** The library as works: all that grew from one beginning is one of them. Favorites first, then newest. */
export function worksOf(items: Iterable<ListedItem>): Work[] {
  const all = new Map([...items].map((item) => [item.id, item]))
  const firstOfRun = new Map<string, ListedItem>()
  for (const item of all.values()) {
    const first = firstOfRun.get(runOf(item))
    if (!first || byAge(item, first) < 0) firstOfRun.set(runOf(item), item)
  }
  const roots = new Map<string, string>()
  const rootOf = (item: ListedItem): string => {
    const run = runOf(item)
    const known = roots.get(run)
    if (known) return known
    roots.set(run, run) // a circle of parents ends here
    const parent = firstOfRun.get(run)?.parent
    const from = parent && all.get(parent.id)
    const root = from ? rootOf(from) : run
    roots.set(run, root)
    return root
  }
  const works = new Map<string, Work>()
  for (const item of all.values()) {
    const root = rootOf(item)
    const work = works.get(root) ?? { root, items: [], newest: 0, favourite: false }
    work.items.push(item)
    work.newest = Math.max(work.newest, item.created)
    work.favourite ||= item.favourite
    works.set(root, work)
  }
  for (const work of works.values()) work.items.sort((a, b) => byAge(b, a))
  return [...works.values()].sort((a, b) => Number(b.favourite) - Number(a.favourite) || b.newest - a.newest)
}

/** The item that stands for a work in the list: the newest favorite, else the first future of the newest run. */
export function faceOf(work: Work): ListedItem {
  const starred = work.items.find((i) => i.favourite)
  if (starred) return starred
  const newest = work.items[0] as ListedItem
  return work.items.filter((i) => runOf(i) === runOf(newest)).at(-1) as ListedItem
}
