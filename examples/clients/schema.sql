-- A producer's: events that wait to be published, written in the same transaction as what they tell of.
CREATE TABLE IF NOT EXISTS outbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    event jsonb NOT NULL CHECK (event ?& ARRAY['eventId', 'occurredAt']),
    key text NOT NULL GENERATED ALWAYS AS ((event ->> 'tenantId') || ':' || (event ->> 'customerId')) STORED,
    traceparent text
);

-- A sender's: commands that are done with. Keep a row for as long as its command can come again: 30 days do.
CREATE TABLE IF NOT EXISTS handled_commands (
    command_id uuid PRIMARY KEY,
    outcome text NOT NULL CHECK (outcome IN ('sent', 'expired', 'refused')),
    handled_at timestamptz NOT NULL DEFAULT now()
);
