import { describe, expect, it } from "vitest"
import { showing, within, zoomed } from "./view.ts"

describe("the strip's span", () => {
  it("zooms about the pointer and stays within the strip", () => {
    const all = { from: 0, to: 100 }
    const half = zoomed(all, 0.5, 40, 100)
    expect(half).toEqual({ from: 20, to: 70 })
    expect(zoomed(half, 0.01, 40, 100).to - zoomed(half, 0.01, 40, 100).from).toBe(4)
    expect(zoomed(half, 10, 40, 100)).toEqual(all)
    expect(within({ from: 90, to: 140 }, 100)).toEqual({ from: 50, to: 100 })
    expect(within({ from: 0, to: 9 }, 2)).toEqual({ from: 0, to: 2 })
  })

  it("follows the chosen patch", () => {
    const span = { from: 20, to: 40 }
    expect(showing(span, 30, 100)).toBe(span)
    expect(showing(span, 45, 100)).toEqual({ from: 26, to: 46 })
    expect(showing(span, 3, 100)).toEqual({ from: 3, to: 23 })
  })
})
