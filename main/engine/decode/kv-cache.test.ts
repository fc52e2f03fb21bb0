import { expect, test } from "vitest"
import { KvCache } from "./kv-cache.ts"

const HEADS = 3
const D = 4
const LAYERS = 2

/** A row that says whose it is: array, position, version of the sequence, head and number. */
const rowOf = (i: number, position: number, version: number) =>
  Float32Array.from({ length: HEADS * D }, (_, n) => i * 1e6 + position * 1e3 + version * 20 + n)

/** What a ring shows at the places that its mask lets through, in order of position. */
function seen(cache: KvCache, i: number): number[][] {
  const ring = cache.byHead()
  const rows: number[][] = []
  for (let place = 0; place < ring.places; place++) {
    if (ring.mask[place] !== 0) continue
    const at = (h: number) => (h * ring.places + place) * D
    rows.push(Array.from({ length: HEADS }, (_, h) => [...ring.array(i).subarray(at(h), at(h) + D)]).flat())
  }
  return rows.sort((a, b) => (a[0] as number) - (b[0] as number))
}

test("each head's rows are those that attention sees, however the sequence grew and went back", () => {
  let state = 7
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) % below
  }
  for (const reach of [2, 9, 65, 150]) {
    let cache = new KvCache(LAYERS, HEADS, D, reach)
    const versions: number[] = []
    for (let turn = 0; turn < 400; turn++) {
      const what = random(10)
      if (what === 0) {
        const length = random(cache.length + 1)
        if (cache.canTruncate(length)) {
          cache.truncate(length)
          versions.length = length
        }
      } else if (what === 1) cache = KvCache.joined([cache, cache]).only(1, 2)
      else {
        const [count, version] = [what === 2 ? 1 + random(reach) : 1, turn % 40]
        const from = cache.length
        for (let k = 0; k < count; k++) versions.push(version)
        cache.append(count, (i) =>
          Float32Array.from(Array.from({ length: count }, (_, k) => [...rowOf(i, from + k, version)]).flat()),
        )
      }
      const past = Math.min(versions.length, reach - 1)
      for (const i of [0, 2 * LAYERS - 1]) {
        const expected = Array.from({ length: past }, (_, k) => {
          const position = versions.length - past + k
          return [...rowOf(i, position, versions[position] as number)]
        })
        expect(seen(cache, i)).toEqual(expected)
      }
    }
  }
})

test("sequences that lie at different places of their arrays are joined row by row", () => {
  const REACH = 9
  const cacheOf = (version: number, step: number) => {
    const cache = new KvCache(1, HEADS, D, REACH)
    while (cache.length < 40)
      cache.append(step, (i) =>
        Float32Array.from(Array.from({ length: step }, (_, k) => [...rowOf(i, cache.length + k, version)]).flat()),
      )
    return cache
  }
  // Rows move to the front at other times where as many come one by one or by eights.
  const singles = [cacheOf(1, 8), cacheOf(2, 1)]
  const all = KvCache.joined(singles)
  expect(all.length).toBe(40)
  for (const [b, single] of singles.entries())
    for (const i of [0, 1]) expect(seen(all.only(b, 2), i)).toEqual(seen(single, i))
})
