"""What several tests share: made-up papers, servers, hostile inputs, runs of the command."""
