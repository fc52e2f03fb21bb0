import { expect, it } from "vitest"
import { stylesOf } from "./packs.ts"

it("something new begins with a style by name, never with the open one that mixes them (B4)", () => {
  const pack = (media: object) =>
    ({ modality: "image", media: { width: 8, height: 8, header: 8, ...media } }) as Parameters<typeof stylesOf>[0]
  expect(stylesOf(pack({ styles: ["any", "face", "tree"] })).defaultStyle).toBe(1)
  expect(stylesOf(pack({ styles: ["any", "face", "tree"], defaultStyle: 2 })).defaultStyle).toBe(2)
  expect(stylesOf(pack({ styles: ["any"] })).defaultStyle).toBe(0)
  expect(stylesOf(undefined).defaultStyle).toBe(0)
})
