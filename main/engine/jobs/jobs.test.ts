import { expect, it } from "vitest"
import { Jobs } from "./jobs.ts"

it("runs one after the other, and what is only made ready last", async () => {
  const jobs = new Jobs()
  const done: string[] = []
  const work = (name: string) => async () => {
    await Promise.resolve()
    done.push(name)
  }
  jobs.add(work("first"), true)
  jobs.add(work("ready"), true)
  jobs.add(work("asked"), false)
  await new Promise((resolve) => setTimeout(resolve))
  jobs.add(work("later"), false)
  await new Promise((resolve) => setTimeout(resolve))
  expect(done).toEqual(["first", "asked", "ready", "later"])
})
