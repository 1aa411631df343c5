import "@starling/hashcash/worker";
