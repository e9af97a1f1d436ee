"""What every implementation of a protocol in ``shared.ports`` must do, tried on each of them."""
