import { expect, it } from "vitest"
import { headingOf } from "./title.ts"

it("a short first line with an empty line after it is a title", () => {
  expect(headingOf("The Little Fox\n\nOnce upon a time")).toBe("The Little Fox")
  expect(headingOf("Who Was It?\n\nNobody knew.")).toBe("Who Was It?")
})

it("a sentence, a long line, and a line that goes on are none", () => {
  for (const text of [
    "",
    "Once upon a time there was a fox.\n\nIt slept.",
    "Once upon a time",
    "The Little Fox\nOnce upon",
    "\n\nOnce",
    `${"word ".repeat(30)}\n\nOnce`,
  ])
    expect(headingOf(text)).toBeUndefined()
})
