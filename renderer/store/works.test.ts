import { describe, expect, it } from "vitest"
import type { ListedItem } from "../../contract/app.ts"
import { branchesFrom, faceOf, futuresOf, wayTo, worksOf } from "./works.ts"

const item = (id: string, created: number, more: Partial<ListedItem> = {}) =>
  ({ id, created, variation: 0, favourite: false, title: id, ...more }) as ListedItem
const known = (...items: ListedItem[]) => new Map(items.map((i) => [i.id, i]))

/** A run of two, then two more futures of it, and a branch of two from its second. */
const family = () =>
  known(
    item("a", 1, { run: "a" }),
    item("b", 1, { run: "a", variation: 1 }),
    item("c", 2, { run: "a" }),
    item("d", 3, { run: "d", parent: { id: "b", at: 5 } }),
    item("e", 3, { run: "d", variation: 1, parent: { id: "b", at: 5 } }),
  )

describe("works", () => {
  it("a run's futures stay together and in order", () => {
    expect(futuresOf(family(), "c").map((i) => i.id)).toEqual(["a", "b", "c"])
    expect(futuresOf(known(item("old", 1)), "old").map((i) => i.id)).toEqual(["old"])
  })

  it("the way to an item names what was taken at each branch", () => {
    const steps = wayTo(family(), "e").map((s) => [s.item.id, s.number, s.of])
    expect(steps).toEqual([
      ["b", 2, 3],
      ["e", 2, 2],
    ])
    expect(branchesFrom(family(), "b").map((i) => i.id)).toEqual(["d"])
  })

  it("what grew from one beginning is one work, favorites first", () => {
    const items = new Map([...family(), ["x", item("x", 2, { favourite: true })], ["y", item("y", 9)]])
    const works = worksOf(items.values())
    expect(works.map((w) => [w.root, w.items.length])).toEqual([
      ["x", 1],
      ["y", 1],
      ["a", 5],
    ])
    expect(faceOf(works[2] as never).id).toBe("d")
  })

  it("branches live on when their beginning is gone, and circles end", () => {
    const items = family()
    items.delete("b")
    expect(worksOf(items.values()).map((w) => w.root)).toEqual(["d", "a"])
    const circle = known(item("p", 1, { parent: { id: "q", at: 0 } }), item("q", 2, { parent: { id: "p", at: 0 } }))
    expect(worksOf(circle.values())).toHaveLength(1)
    expect(wayTo(circle, "p")).toHaveLength(2)
  })
})
