"""Training: what a step of full fine-tuning, LoRA or QLoRA takes, part by part."""
