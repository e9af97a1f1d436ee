"""What a platform engineer deploys: the image and what starts it, held against the code."""
