import { answer } from "./answer.ts"
import { run } from "./commands.ts"

/** `megabyte …` */
await answer(() => run(process.argv.slice(2)))
