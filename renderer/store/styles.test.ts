import { expect, it } from "vitest"
import { gridOf } from "./styles.ts"

it("styles of two parts are chosen part by part", () => {
  const styles = ["any", "reel, organ", "reel, pluck", "jig, organ", "jig, pluck"]
  const grid = gridOf(styles)
  expect(grid?.parts).toEqual([
    ["reel", "jig"],
    ["organ", "pluck"],
  ])
  expect(grid?.places).toEqual([undefined, [0, 0], [0, 1], [1, 0], [1, 1]])
  expect(styles[grid?.styleAt(1, 0) ?? 0]).toBe("jig, organ")
})

it("other styles stay as they are: of one part, of pairs that lack one, of pairs that are there twice", () => {
  for (const styles of [
    [],
    ["any"],
    ["any", "organ"],
    ["any", "reel, organ"],
    ["any", "reel, organ", "reel, pluck", "jig, organ"],
    ["any", "reel, organ", "reel, organ", "jig, organ", "reel, pluck"],
    ["any", "a, b, c", "a, b"],
  ])
    expect(gridOf(styles)).toBeUndefined()
})
