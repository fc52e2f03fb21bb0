import { answer } from "./answer.ts"
import { run } from "./run.ts"

/** `megabyte …` */
await answer(() => run(process.argv.slice(2)))
