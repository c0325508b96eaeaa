// Publishes its argument as a publisher in Node does: what it needs to know comes from the environment.
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

const message = { QueueUrl: process.env.EVENT_QUEUE_URL, MessageBody: process.argv[2] };
await new SQSClient().send(new SendMessageCommand(message));
