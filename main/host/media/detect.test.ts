import { describe, expect, it } from "vitest"
import { detect } from "./detect.ts"

const text = (s: string) => Buffer.from(s)

describe("what a file is", () => {
  it.each([
    ["a maker of cars", "BMW is a maker of cars, and this a text about them."],
    ["Ogg in words", "OggS is the mark of a page.\n"],
    ["RIFF in words", "RIFF and WAVE are words here.\n"],
    ["a form", "FORM 12 AIFF\n"],
    ["a tale", "Once upon a time"],
    ["nothing at all", ""],
    ["source of a page", "<!doctype html><p><svg></svg>"],
  ])("is told by its structure: %s is text", async (_, words) => {
    expect(await detect("a.wav", text(words))).toEqual({ modality: "text" })
  })
  it("is a drawing where its first element is one, unless its name says that it is meant as text", async () => {
    const drawing = text(`<?xml version="1.0"?>\n<!-- by hand -->\n<svg xmlns="http://www.w3.org/2000/svg"/>`)
    expect(await detect("a", drawing)).toEqual({ modality: "image", format: "svg" })
    expect(await detect("a.txt", drawing)).toEqual({ modality: "text" })
    expect(await detect("a.svg", text("no drawing"))).toEqual({ modality: "text" })
  })
  it.each([
    ["a PDF", text("%PDF-1.7\n%\xe2\xe3\n"), /^is a PDF; /],
    ["an archive", Buffer.from("1f8b0800000000000003cbcf0f00", "hex"), /^is neither text nor .* kind GZ\.$/],
    ["zeros", Buffer.alloc(3000), /^is neither text nor a picture nor a sound\.$/],
    [
      "an MP4 of boxes alone",
      Buffer.concat([text("\0\0\0\x10ftypisom\0\0\0\0"), ...Array(5000).fill(text("\0\0\0\x08free"))]),
      /^is an MP4 without sound/,
    ],
  ])("is said of what cannot be read: %s", async (_, bytes, said) => {
    const found = await detect("a", bytes)
    expect(found.modality === undefined && found.problem).toMatch(said)
  })
})
