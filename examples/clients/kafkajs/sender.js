// Send what Fairway commands on one channel: every command once, in the order of each customer.

import kafkajs from 'kafkajs'
import SnappyCodec from 'kafkajs-snappy'
import pg from 'pg'

const { CompressionCodecs, CompressionTypes, Kafka } = kafkajs
CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec // Fairway compresses with snappy; kafkajs alone can't read it

const CHANNEL = process.env.CHANNEL ?? 'EMAIL'
const OLDEST_MS = 24 * 3600 * 1000 // a command that could not be sent by then, since it was written, is not sent
const TIMEOUT_MS = 10_000
const PAUSES_MS = [500, 1000, 2000, 5000, 10_000, 30_000] // between tries; the last for all further ones

/** The provider takes nothing for the moment; the same command may succeed later. */
class Unavailable extends Error {}

const kafka = new Kafka({ clientId: 'sender', brokers: process.env.KAFKA_BROKERS.split(',') })
const consumer = kafka.consumer({
  groupId: `sender-${CHANNEL}`,
  readUncommitted: false,
  maxWaitTimeInMs: 500, // a partition that was held back is read again when the fetch of the others is over
})
const database = new pg.Pool({ connectionString: process.env.DATABASE_URL })
const tries = new Map() // by partition, of its next command

/** Handle a batch one message after another; where the provider is unavailable, let the rest come again. */
async function take({ batch, resolveOffset, heartbeat, pause, isRunning, isStale }) {
  for (const message of batch.messages) {
    if (!isRunning() || isStale()) return
    try {
      await handle(message)
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      hold(batch.partition, pause())
      return
    }
    tries.delete(batch.partition)
    resolveOffset(message.offset) // kafkajs commits what is resolved, after the batch and every few seconds
    await heartbeat()
  }
}

function hold(partition, resume) {
  const count = (tries.get(partition) ?? 0) + 1
  tries.set(partition, count)
  setTimeout(resume, PAUSES_MS[Math.min(count, PAUSES_MS.length) - 1])
}

/** Send the command unless it is another channel's, too old or done with; throws Unavailable. */
async function handle({ headers, timestamp, value }) {
  if (headers.channel.toString().toUpperCase() !== CHANNEL) return
  const command = JSON.parse(value)
  const found = await database.query('SELECT 1 FROM handled_commands WHERE command_id = $1', [command.commandId])
  if (found.rowCount > 0) return
  const outcome = isExpired(timestamp, command) ? 'expired' : await send(command, headers.traceparent)
  await database.query(
    'INSERT INTO handled_commands (command_id, outcome) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    [command.commandId, outcome],
  )
}

/** Hand the command to the provider, which knows by its key what it has sent; throws Unavailable. */
async function send(command, traceparent) {
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': command.commandId }
  if (traceparent) headers.traceparent = traceparent.toString()
  const request = { method: 'POST', headers, body: JSON.stringify(command), signal: AbortSignal.timeout(TIMEOUT_MS) }
  const answer = await fetch(process.env.PROVIDER_URL, request).catch(cause => {
    throw new Unavailable('no answer', { cause })
  })
  if ([408, 425, 429].includes(answer.status) || answer.status >= 500) throw new Unavailable(answer.statusText)
  return answer.ok ? 'sent' : 'refused'
}

function isExpired(timestamp, { notAfter }) {
  const now = Date.now()
  return now > Number(timestamp) + OLDEST_MS || (notAfter !== null && now > Date.parse(notAfter))
}

process.on('SIGTERM', async () => {
  await consumer.disconnect() // after the message at hand; commits, and leaves the group at once
  await database.end()
  process.exit()
})
await consumer.connect()
await consumer.subscribe({ topic: 'fairway.commands', fromBeginning: true })
await consumer.run({ eachBatchAutoResolve: false, partitionsConsumedConcurrently: 4, eachBatch: take })
