// Publish a producer's outbox: a row goes once Kafka has its event, so a crash may repeat events but loses none.

import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, Partitioners } from 'kafkajs'
import pg from 'pg'

const SLICE = 500
const IDLE_MS = 200
const OLDEST =
  'SELECT position, topic, key, event::text AS value, traceparent FROM outbox ORDER BY position LIMIT $1 FOR UPDATE'

const kafka = new Kafka({ clientId: 'producer', brokers: process.env.KAFKA_BROKERS.split(',') })
const producer = kafka.producer({
  createPartitioner: Partitioners.DefaultPartitioner, // Java's; LegacyPartitioner, the default before 2.0, is not
  idempotent: true, // and with it acks=all
  maxInFlightRequests: 1, // or a retry could let one batch overtake another
})
const database = new pg.Client({ connectionString: process.env.DATABASE_URL })
let running = true

/** Publish the oldest rows and return how many; what fails stays, and is published again with the same ids. */
async function publish() {
  await database.query('BEGIN')
  const { rows } = await database.query(OLDEST, [SLICE])
  if (rows.length > 0) {
    await producer.sendBatch({ acks: -1, topicMessages: byTopic(rows) })
    await database.query('DELETE FROM outbox WHERE position = ANY($1)', [rows.map(row => row.position)])
  }
  await database.query('COMMIT') // an error before it ends the process, and with it the transaction
  return rows.length
}

function byTopic(rows) {
  const messages = new Map()
  for (const { topic, key, value, traceparent } of rows) {
    const headers = traceparent ? { traceparent } : {}
    messages.set(topic, [...(messages.get(topic) ?? []), { key, value, headers }])
  }
  return [...messages].map(([topic, messages]) => ({ topic, messages }))
}

process.on('SIGTERM', () => { running = false })
await database.connect()
await producer.connect()
while (running) {
  if ((await publish()) === 0) await sleep(IDLE_MS)
}
await producer.disconnect()
await database.end()
